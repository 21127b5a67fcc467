# judged: GS16
# fine: GS16
def test_database(database):
    assert database.cursor()
