# judged: GS16
from unittest import mock

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


def test_it():
    # found: GS16
    assert mock.Mock()
