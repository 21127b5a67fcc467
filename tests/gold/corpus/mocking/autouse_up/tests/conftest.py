# judged: GS16
from unittest.mock import patch

import pytest


# fine: GS16
@pytest.fixture(autouse=True)
def no_database():
    with patch("shop.db.connect"):
        yield
