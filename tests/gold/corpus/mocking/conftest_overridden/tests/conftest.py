from unittest.mock import MagicMock

import pytest


@pytest.fixture
def database():
    return MagicMock()
