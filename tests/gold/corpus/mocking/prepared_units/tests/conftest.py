# judged: GS16
from unittest.mock import patch


def pytest_configure(config):
    # fine: GS16
    patch("shop.db.connect").start()
