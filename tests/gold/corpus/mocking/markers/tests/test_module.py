# judged: GS16
from unittest import mock

import pytest

pytestmark = pytest.mark.integration


def test_it():
    # found: GS16
    assert mock.Mock()
