# judged: GS16
from tests.tools import Imitation


def test_it():
    # found: GS16
    assert Imitation()
