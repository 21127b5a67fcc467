# judged: GS16
# found in: GS16
def test_database(database):
    assert database.query()


# found in: GS16
def test_cache(cache):
    assert cache.get("x")


# found in: GS16
def test_through_another(repository):
    assert repository


# fine: GS16
def test_settings(settings):
    assert settings["host"]
