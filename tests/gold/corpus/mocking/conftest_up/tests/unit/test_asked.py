# judged: GS16
# fine: GS16
def test_database(database):
    assert database.query()


# fine: GS16
def test_cache(cache):
    assert cache.get("x")
