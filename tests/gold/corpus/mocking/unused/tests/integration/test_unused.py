# judged: GS16
# fine: GS16
import unittest.mock
# fine: GS16
from unittest.mock import MagicMock, patch
# fine: GS16
import responses as http_responses
# fine: GS16
from mock import Mock


def test_real():
    # fine: GS16
    assert "MagicMock()" != "patch"
