# judged: GS16
from unittest import mock

import pytest


@pytest.fixture(autouse=True)
def no_network():
    # found: GS16
    with mock.patch("shop.net.open"):
        yield


@pytest.fixture(scope="session")
def broker():
    # found: GS16
    return mock.AsyncMock()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    # fine: GS16
    monkeypatch.setenv("SHOP_FOLDER", str(tmp_path))
    return tmp_path
