# the fixture is fine for unit tests: what counts is who asks for it
from unittest.mock import MagicMock

import pytest


@pytest.fixture
def database():
    return MagicMock()


@pytest.fixture()
def settings():
    return {"host": "localhost"}


@pytest.fixture(name="cache")
def make_cache():
    client = MagicMock()
    client.get.return_value = 1
    yield client


@pytest.fixture
def repository(database):
    return [database]
