# judged: GS16
from unittest.mock import MagicMock, patch

import fakeredis

from shop import store


# fine: GS16
@patch("shop.store.connect")
def test_decorated(connect):
    # fine: GS16
    store.load(MagicMock())


# fine: GS16
def test_mocker(mocker):
    # fine: GS16
    mocker.patch("shop.store.connect")


def test_library():
    # fine: GS16
    store.load(fakeredis.FakeRedis())


def test_service(monkeypatch):
    # fine: GS16
    monkeypatch.setattr("shop.store.connect", lambda: None)
