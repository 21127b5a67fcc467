# judged: GS16
from unittest.mock import patch


def pytest_sessionstart(session):
    # found: GS16
    patch("shop.mail.send").start()


def helper():
    # fine: GS16
    return patch("shop.mail.send")
