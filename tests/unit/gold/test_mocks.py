"""Mocks are found in tests that want real services, and nowhere else."""

from __future__ import annotations

import pytest

from tests.unit.gold.goldfiles import found, judged

AT = "tests/integration/test_a.py"
MOCK = "from unittest.mock import MagicMock\n"
PATCH = "from unittest.mock import patch\n"
FAKE = "class FakeRedis:\n    def get(self, key): return 1\n"
TEST = "def test_a(): pass\n"


#: Text of an integration test -> line and kind of each finding.
USES = [
    # unittest.mock, and what only looks like it
    (f"{MOCK}def test_a(): MagicMock()\n", "2 mock"),
    ("from unittest import mock as m\ndef test_a(): m.Mock()\n", "2 mock"),
    ("import unittest.mock\ndef test_a(): unittest.mock.AsyncMock()\n", "2 mock"),
    ("import mock\ndef test_a(): mock.Mock()\n", "2 mock"),
    ("import unittest.mock as um\nM = um.MagicMock\ndef test_a(): M()\n", "3 mock"),
    ("from unittest.mock import create_autospec\ndef test_a(): create_autospec(object)\n", "2 mock"),
    (f"{MOCK}def test_a(): MagicMock(spec=dict, return_value=MagicMock())\n", "2 mock"),
    (f"{MOCK}import shop\ndef test_a(): shop.Service(client=MagicMock)\n", "3 mock"),
    (f"{MOCK}class Client(MagicMock): pass\ndef test_a(): Client()\n", "3 mock"),
    (
        "try:\n    from unittest.mock import Mock\nexcept ImportError:\n    from mock import Mock\n"
        "def test_a(): Mock()\n",
        "5 mock",
    ),
    (f"{MOCK}{TEST}", ""),
    (f"{MOCK}class TestA:\n    def test_a(self): self.assertNotIsInstance(client, MagicMock)\n", ""),
    (f"{MOCK}def test_a(client): assert not isinstance(client, MagicMock)\n", ""),
    (f"{MOCK}def helper(client: MagicMock) -> None: pass\n{TEST}", ""),
    ("from unittest.mock import sentinel, ANY, call\ndef test_a(): assert [sentinel.a, ANY, call(1)]\n", ""),
    ("def test_a():\n    '''MagicMock() and @patch are not used here'''\n    # mock.patch('x')\n", ""),
    ("class MagicMock: pass\ndef test_a(): MagicMock()\n", ""),
    (f"{MOCK}from shop import client\ndef test_a(): MagicMock(wraps=client)\n", ""),
    (f"{MOCK}from shop import client\ndef test_a(): MagicMock(wraps=client, return_value=1)\n", "3 mock"),
    ("from unittest.mock import *\ndef test_a(): MagicMock()\n", "2 mock"),
    # patch
    (f"{PATCH}@patch('shop.api.fetch')\ndef test_a(fetch): pass\n", "2 mock"),
    (f"{PATCH}@patch.object(dict, 'get')\ndef test_a(get): pass\n", "2 mock"),
    (f"{PATCH}@patch('shop.db')\nclass TestA:\n    def test_a(self, db): pass\n", "2 mock"),
    (f"{PATCH}def test_a():\n    with patch('shop.api.fetch', return_value=1) as fetch: fetch()\n", "3 mock"),
    (
        f"{PATCH}def test_a():\n    patcher = patch('shop.api.fetch')\n    patcher.start()\n    patcher.stop()\n",
        "3 mock",
    ),
    (f"{PATCH}@patch('builtins.open')\ndef test_a(opened): pass\n", "2 mock"),
    (f"{PATCH}@patch.multiple('shop.api', fetch=1, send=object())\ndef test_a(): pass\n", "2 mock"),
    (
        "from unittest import mock\n@mock.patch('shop.api.fetch', new_callable=mock.AsyncMock)\ndef test_a(f): pass\n",
        "2 mock",
    ),
    (f"{PATCH}import os\ndef test_a():\n    with patch.dict(os.environ, {{'A': 'b'}}): pass\n", ""),
    (f"{PATCH}@patch.dict('os.environ', A='b')\ndef test_a(): pass\n", ""),
    (f"{PATCH}@patch.dict('sys.modules', {{'redis': None}})\ndef test_a(): pass\n", ""),
    (f"{PATCH}{MOCK}@patch.dict('sys.modules', {{'redis': MagicMock()}})\ndef test_a(): pass\n", "3 mock"),
    (f"{PATCH}@patch('time.sleep')\ndef test_a(sleep): pass\n", ""),
    (f"{PATCH}{MOCK}@patch('time.sleep', MagicMock())\ndef test_a(): pass\n", ""),
    (f"{PATCH}@patch('shop.orders.datetime')\ndef test_a(now): pass\n", ""),
    (f"{PATCH}@patch('shop.clock.utcnow')\ndef test_a(now): pass\n", ""),
    (f"{PATCH}@patch('shop.config.TIMEOUT', 5)\ndef test_a(): pass\n", ""),
    ("def patch(name): return lambda f: f\n@patch('shop.api')\ndef test_a(): pass\n", ""),
    ("from shop import client\ndef test_a(): client.patch('/orders/1')\n", ""),
    # pytest-mock
    ("def test_a(mocker): mocker.patch('shop.api.fetch')\n", "1 mocker"),
    (
        "def test_a(mocker):\n    mocker.patch.object(dict, 'get')\n    mocker.Mock()\n    mocker.stub()\n",
        "2 mocker|3 mocker|4 mocker",
    ),
    ("from pytest_mock import MockerFixture\ndef test_a(m: MockerFixture): m.MagicMock()\n", "2 mocker"),
    ("def test_a(session_mocker): session_mocker.create_autospec(dict)\n", "1 mocker"),
    (
        "class TestA:\n    def setup(self, mocker): self.mocker = mocker\n"
        "    def test_a(self): self.mocker.patch('shop.a')\n",
        "3 mocker",
    ),
    ("def test_a(mocker): pass\n", ""),
    ("import shop\ndef test_a(mocker):\n    mocker.spy(shop, 'fetch')\n    mocker.stopall()\n", ""),
    ("import os\ndef test_a(mocker): mocker.patch.dict(os.environ, {'A': 'b'})\n", ""),
    # monkeypatch
    (
        "import requests\ndef test_a(monkeypatch): monkeypatch.setattr(requests, 'get', lambda url: 1)\n",
        "2 monkeypatch",
    ),
    ("def f(): pass\ndef test_a(monkeypatch): monkeypatch.setattr('shop.api.fetch', f)\n", "2 monkeypatch"),
    (
        "from shop import Client\ndef test_a(monkeypatch):\n    def get(self): pass\n"
        "    monkeypatch.setattr(Client, 'get', get)\n",
        "4 monkeypatch",
    ),
    (
        "def test_a(monkeypatch, service): monkeypatch.setattr(service.client, 'send', lambda m: None)\n",
        "1 monkeypatch",
    ),
    (
        "import pytest\ndef test_a():\n"
        "    with pytest.MonkeyPatch.context() as mp: mp.setattr('shop.a.b', lambda: 1)\n",
        "3 monkeypatch",
    ),
    (
        "def test_a(monkeypatch):\n    with monkeypatch.context() as m: m.setattr('shop.a.b', lambda: 1)\n",
        "2 monkeypatch",
    ),
    ("import socket\ndef test_a(monkeypatch): monkeypatch.setattr(socket, 'socket', lambda: 1)\n", "2 monkeypatch"),
    ("import requests\ndef get(url): pass\ndef test_a(): requests.get = get\n", "3 monkeypatch"),
    ("import sys\nclass Redis: pass\ndef test_a(): sys.modules['redis'] = Redis()\n", "3 monkeypatch"),
    (
        "import sys\nclass R: pass\ndef test_a(monkeypatch): monkeypatch.setitem(sys.modules, 'redis', R())\n",
        "3 monkeypatch",
    ),
    (
        "def test_a(monkeypatch, tmp_path):\n    monkeypatch.setenv('A', 'b')\n"
        "    monkeypatch.delenv('B')\n    monkeypatch.chdir(tmp_path)\n    monkeypatch.syspath_prepend('x')\n",
        "",
    ),
    ("import time\ndef test_a(monkeypatch): monkeypatch.setattr(time, 'sleep', lambda s: None)\n", ""),
    ("from shop import config\ndef test_a(monkeypatch): monkeypatch.setattr(config, 'TIMEOUT', 1)\n", ""),
    ("from shop import config\ndef test_a(monkeypatch, tmp_path): monkeypatch.setattr(config, 'HOME', tmp_path)\n", ""),
    ("import shop\nclass Json: pass\ndef test_a(): shop.app.response_class = Json\n", ""),
    ("import shop\nclass Json: pass\ndef test_a(): shop.app.client = Json()\n", "3 monkeypatch"),
    ("import os\ndef test_a(monkeypatch): monkeypatch.setattr(os.path, 'join', lambda *a: a)\n", ""),
    ("import os\ndef test_a(monkeypatch): monkeypatch.setattr(os.path, 'exists', lambda p: True)\n", "2 monkeypatch"),
    ("import sys\ndef test_a(monkeypatch): monkeypatch.setattr(sys, 'argv', ['shop'])\n", ""),
    ("from shop import db\ndef test_a(monkeypatch, test_engine): monkeypatch.setattr(db, 'engine', test_engine)\n", ""),
    # libraries
    ("import responses\n@responses.activate\ndef test_a():\n    responses.add('GET', 'http://a')\n", "2 library"),
    (
        "import responses\ndef test_a():\n    with responses.RequestsMock() as r: r.add('GET', 'http://a')\n",
        "3 library",
    ),
    ("import respx\n@respx.mock\nasync def test_a(): respx.get('http://a')\n", "2 library"),
    ("import respx\ndef test_a():\n    with respx.mock: pass\n", "3 library"),
    ("def test_a(requests_mock): requests_mock.get('http://a')\n", "1 library"),
    ("def test_a(httpx_mock): httpx_mock.add_response()\n", "1 library"),
    ("import requests_mock as rm\ndef test_a():\n    with rm.Mocker() as m: m.get('http://a')\n", "3 library"),
    ("import fakeredis\nCLIENT = fakeredis.FakeRedis()\ndef test_a(): CLIENT.get('a')\n", "2 library"),
    ("from mongomock import MongoClient\ndef test_a(): MongoClient().db.a.find()\n", "2 library"),
    ("from moto import mock_aws\n@mock_aws\ndef test_a(): pass\n", "2 library"),
    ("import vcr\n@vcr.use_cassette('a.yaml')\ndef test_a(): pass\n", "2 library"),
    ("import pytest\n@pytest.mark.vcr\ndef test_a(): pass\n", "2 library"),
    ("import httpx\ndef test_a(): httpx.Client(transport=httpx.MockTransport(lambda r: 1))\n", "2 library"),
    ("import httpretty\ndef teardown(): httpretty.disable()\ndef test_a(): pass\n", ""),
    ("import responses, fakeredis\ndef test_a(): pass\n", ""),
    ("from freezegun import freeze_time\n@freeze_time('2026-01-01')\ndef test_a(): pass\n", ""),
    ("def test_a(httpserver): httpserver.expect_request('/')\n", ""),
    ("from shop import responses\ndef test_a(): responses.add('thanks')\n", ""),
    ("import httpx\ndef test_a(): httpx.Client(transport=httpx.HTTPTransport())\n", ""),
    # hand-written fakes
    (f"{FAKE}def test_a(): Cache(FakeRedis())\n", "1 fake"),
    (f"{FAKE}def test_a():\n    client = FakeRedis()\n    isinstance(client, FakeRedis)\n", "1 fake"),
    (
        "class PaymentGatewayStub:\n    async def charge(self, sum): return 1\nGATEWAY = PaymentGatewayStub()\n",
        "1 fake",
    ),
    ("class StubThing:\n    def send(self): pass\ndef test_a(): Shop(client=StubThing())\n", "1 fake"),
    ("class _DummyHTTPClient:\n    def __call__(self): pass\ndef test_a(): Shop(_DummyHTTPClient())\n", "1 fake"),
    ("class MockLLM:\n    def chat(self, text): return 'hi'\ndef test_a(agent): agent.llm = MockLLM()\n", "1 fake"),
    (
        "from shop.mail import Mailer\nclass Silent(Mailer):\n"
        "    def send(self, m): self.sent.append(m)\ndef test_a(): Silent()\n",
        "2 fake",
    ),
    (
        "import redis\nclass Memory(redis.Redis):\n    def get(self, key): return self.data.get(key)\n"
        "def test_a(): Memory()\n",
        "2 fake",
    ),
    (
        "from typing import Protocol\nclass Gateway(Protocol):\n    def pay(self): ...\n"
        "class FakeGateway(Gateway):\n    def pay(self): return 1\ndef test_a(): Shop(FakeGateway())\n",
        "4 fake",
    ),
    (
        "import typing\nclass MockClient(typing.Protocol):\n    def a(self): ...\ndef test_a(): MockClient()\n",
        "",
    ),
    (f"{FAKE}{TEST}", ""),
    ("class MockTurtle:\n    def sing(self): pass\ndef test_a(): keep(MockTurtle())\n", ""),
    ("class HammockOrder:\n    def send(self): pass\ndef test_a(): place(client=HammockOrder())\n", ""),
    ("class CompleteSystemMock:\n    def start(self): pass\ndef test_a(): CompleteSystemMock().start()\n", ""),
    ("class DummyUser:\n    def name(self): return 'a'\ndef test_a(): save(DummyUser())\n", ""),
    ("class FakeApiError(Exception):\n    def text(self): return ''\ndef test_a(): raise FakeApiError()\n", ""),
    ("class MockDatabase(SQLError): pass\ndef test_a(): MockDatabase()\n", ""),
    (
        "from http.server import HTTPServer\nclass FakeServer(HTTPServer):\n    def go(self): pass\n"
        "def test_a(): FakeServer()\n",
        "",
    ),
    (
        "from kailash.nodes.base import Node\nclass MockApi(Node):\n    def run(self): return {}\n"
        "def test_a(): MockApi()\n",
        "",
    ),
    (
        "import redis\nclass Timed(redis.Redis):\n    def get(self, key):\n"
        "        return super().get(key)\ndef test_a(): Timed()\n",
        "",
    ),
    (
        "import redis\nclass Logged(redis.Redis):\n    def get(self, key):\n"
        "        return self.inner.get(key)\ndef test_a(): Logged()\n",
        "",
    ),
    ("from shop import Client\nclass Mine(Client):\n    def get_headers(self): return {}\ndef test_a(): Mine()\n", ""),
]


@pytest.mark.parametrize(("text", "expected"), USES)
def test_uses(text: str, expected: str) -> None:
    """What imitates a service is found in an integration test."""
    lines = [item.removeprefix(f"{AT}:").replace("GS16.", "") for item in found({AT: text}, "GS16")]
    assert "|".join(lines) == expected


@pytest.mark.parametrize("text", [text for text, expected in USES if expected])
@pytest.mark.parametrize("path", ["tests/unit/test_a.py", "tests/test_a.py", "src/shop/a.py"])
def test_elsewhere(path: str, text: str) -> None:
    """The same is nobody's concern in unit tests, in tests of no declared tier and in an application."""
    assert found({path: text}, "GS16") == []


@pytest.mark.parametrize(
    ("helper", "text", "expected"),
    [
        (
            "from unittest.mock import MagicMock\n",
            "from tests.help import MagicMock\ndef test_a(): MagicMock()\n",
            "2 mock",
        ),
        ("from unittest.mock import MagicMock as M\n", "from ..help import M\ndef test_a(): M()\n", "2 mock"),
        (
            "from unittest.mock import *\nfrom unittest import mock\n",
            "import tests.help as h\ndef test_a(): h.mock.Mock()\n",
            "2 mock",
        ),
        (f"{MOCK}def make(): return MagicMock()\n", "from tests.help import make\ndef test_a(): make()\n", "2 mock"),
        (f"{MOCK}class Quiet(MagicMock): pass\n", "from tests.help import Quiet\ndef test_a(): Quiet()\n", "2 mock"),
        (
            "import fakeredis\ndef make(): return fakeredis.FakeRedis()\n",
            "from tests.help import make\ndef test_a(): make()\n",
            "2 library",
        ),
        (
            f"{PATCH}def quiet(): return patch('shop.mail.send')\n",
            "from tests.help import quiet\ndef test_a():\n    with quiet(): pass\n",
            "3 mock",
        ),
        (
            "def stub(mocker): mocker.patch('shop.a')\n",
            "from tests.help import stub\ndef test_a(mocker): stub(mocker)\n",
            "2 mocker",
        ),
        (f"{FAKE}def make(): return FakeRedis()\n", "from tests.help import make\ndef test_a(): make()\n", "2 fake"),
        (
            f"{PATCH}def quiet(f): return patch('shop.a')(f)\n",
            "from tests import help\n@help.quiet\ndef test_a(): pass\n",
            "2 mock",
        ),
        (FAKE, "from tests.help import FakeRedis\ndef test_a(): FakeRedis()\n", "2 fake"),
        (FAKE, "from tests.help import FakeRedis\ndef test_a(): pass\n", ""),
        (
            "class FakeData:\n    def get(self): pass\n",
            "from tests.help import FakeData\ndef test_a(): FakeData()\n",
            "",
        ),
        ("def make(): return dict()\n", "from tests.help import make\ndef test_a(): make()\n", ""),
    ],
)
def test_helpers(helper: str, text: str, expected: str) -> None:
    """Modules that help tests pass mocks on."""
    files = {"tests/__init__.py": "", "tests/integration/__init__.py": "", "tests/help.py": helper, AT: text}
    lines = [item.removeprefix(f"{AT}:").replace("GS16.", "") for item in found(files, "GS16")]
    assert "|".join(lines) == expected


def test_application_names_are_no_mocks() -> None:
    """A class of the application may be called as it likes, and a module `mock` of the project is not the library."""
    files = {
        "shop/animals.py": "class MockTurtle:\n    def get(self): pass\nclass DummyGateway:\n    def pay(self): pass\n",
        "mock.py": "class Mock: pass\n",
        AT: "from shop.animals import MockTurtle, DummyGateway\nimport mock\n"
        "def test_a(): keep(MockTurtle(), DummyGateway(), mock.Mock())\n",
    }
    assert found(files, "GS16") == []


def test_helpers_beside_a_test() -> None:
    """A module beside a test is imported by its bare name; a package of that name elsewhere is another."""
    files = {
        "tests/integration/helpers.py": f"{MOCK}def make(): return 1\n",
        AT: "from helpers import MagicMock, make\ndef test_a(): MagicMock()\ndef test_b(): make()\n",
        "tests/e2e/test_b.py": "from helpers import MagicMock\ndef test_a(): MagicMock()\n",
    }
    assert found(files, "GS16") == [f"{AT}:2 GS16.mock"]


def test_patched_names_are_resolved() -> None:
    """What is patched under the name of a module that imports it is the thing itself."""
    files = {
        "shop/orders.py": "from time import sleep as pause\nimport requests\n",
        AT: f"{PATCH}@patch('shop.orders.pause')\n@patch('shop.orders.requests.get')\ndef test_a(get, pause): pass\n",
    }
    assert found(files, "GS16") == [f"{AT}:3 GS16.mock"]


def test_counts_tests() -> None:
    """A test without a mock keeps the rule; tests of other tiers are not counted."""
    text = f"{MOCK}def test_a(): MagicMock()\ndef test_b(): pass\ndef helper(): pass\n"
    its = judged({AT: text, "tests/unit/test_a.py": text, "tests/test_a.py": text}, "GS16")
    assert (its[AT].tallies["GS16"].applicable, its[AT].tallies["GS16"].compliant) == (2, 1)
    assert its["tests/unit/test_a.py"].tallies == its["tests/test_a.py"].tallies == {}


def test_allowed() -> None:
    """A comment with a reason allows one, and is listed."""
    text = f"{MOCK}def test_a(): MagicMock()  # ready: allow GS16 the bank has no test system\n"
    its = judged({AT: text}, "GS16")[AT]
    assert its.findings == []
    assert [reason for _, reason in its.allowed] == ["the bank has no test system"]
