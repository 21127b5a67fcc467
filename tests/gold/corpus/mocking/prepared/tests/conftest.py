# judged: GS16
import sys
from unittest.mock import MagicMock, patch

import pytest

pytest_plugins = ["tests.helpers.plugin"]
# found: GS16
sys.modules["redis"] = MagicMock()


def pytest_configure(config):
    # found: GS16
    patch("shop.db.connect").start()


@pytest.fixture
def never_asked():
    # fine: GS16
    return MagicMock()
