# judged: GS16
from shop import db


# found: GS16
def test_load():
    assert db.load()
