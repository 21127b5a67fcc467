# judged: GS16
import importlib
import types
from types import SimpleNamespace
from unittest import mock as m

import pytest
import redis
from shop.cache import Cache

fetched = importlib.import_module("unittest.mock")
json = importlib.import_module("json")


class Quiet(redis.Redis):
    def ping(self):
        return super().ping()


def test_fetched():
    # found: GS16
    assert Cache(fetched.MagicMock())


def test_at_once():
    # found: GS16
    assert Cache(importlib.import_module("unittest.mock").Mock())


def test_built_in():
    # found: GS16
    assert Cache(__import__("unittest.mock", fromlist=["Mock"]).Mock())


def test_by_attribute():
    # found: GS16
    assert Cache(getattr(m, "MagicMock")())


def test_renamed():
    # found: GS16
    with m.patch("shop.cache.Cache"):
        pass


def test_namespace():
    # found: GS16
    client = types.SimpleNamespace(get=lambda key: b"1", set=lambda key, value: None)
    assert Cache(client)


def test_handed_over():
    # found: GS16
    assert Cache(client=SimpleNamespace(ping=lambda: True))


def test_type():
    # found: GS16
    client = type("Client", (), {"get": lambda self, key: b"1"})()
    assert Cache(client)


@pytest.fixture
def database():
    # found: GS16
    return SimpleNamespace(execute=lambda query: [])


def test_other_module():
    # fine: GS16
    assert Cache(redis.Redis(), json.loads("{}"))


def test_data():
    # fine: GS16
    assert Cache(redis.Redis(), settings=SimpleNamespace(url="redis://cache", timeout=3))


def test_a_row():
    # fine: GS16
    service = SimpleNamespace(name="orders", port=5432)
    assert Cache(redis.Redis(host=service.name))


def test_subclass():
    # fine: GS16
    assert Cache(Quiet())


def test_attribute():
    # fine: GS16
    assert getattr(redis, "Redis")().ping()
