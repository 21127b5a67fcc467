# judged: GS16
from unittest import mock

import pytest

pytestmark = [pytest.mark.slow]


def test_it():
    # fine: GS16
    assert mock.Mock()
