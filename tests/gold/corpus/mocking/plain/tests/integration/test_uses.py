# judged: GS16
import unittest.mock
import unittest.mock as um
from unittest import mock as m
from unittest.mock import MagicMock, patch
# fine: GS16
from unittest.mock import AsyncMock

from shop import store


# found: GS16
@patch("shop.store.connect")
def test_decorated(connect):
    store.load()
    connect.assert_called_once()


def test_context():
    # found: GS16
    with patch("shop.store.connect"):
        store.load()


def test_made():
    # found: GS16
    client = MagicMock()
    store.load(client)


def test_module_alias():
    # found: GS16
    with um.patch.object(store, "connect"):
        store.load()


def test_package_alias():
    # found: GS16
    client = m.Mock(spec=["get"])
    store.load(client)


def test_late():
    from unittest.mock import create_autospec

    # found: GS16
    client = create_autospec(store.Client)
    store.load(client)


# fine: GS16
def test_real():
    assert store.load()
