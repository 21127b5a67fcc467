# judged: GS16
from unittest.mock import Mock

import pytest


@pytest.mark.integration
def test_marked():
    # found: GS16
    assert Mock()


@pytest.mark.integration()
def test_called():
    # found: GS16
    assert Mock()


@pytest.mark.e2e
@pytest.mark.timeout(10)
class TestMarked:
    def test_in_class(self):
        # found: GS16
        assert Mock()


@pytest.mark.unit
def test_unit():
    # fine: GS16
    assert Mock()


@pytest.mark.slow
def test_unmarked():
    # fine: GS16
    assert Mock()
