"""Tests that ask for fixtures which imitate a service."""

from __future__ import annotations

import pytest
from ready.gold.index import Fixture
from ready.gold.summary import summarize

from tests.unit.gold.goldfiles import found, read

AT = "tests/integration/test_a.py"
MOCK = "from unittest.mock import MagicMock\n"
FAKE = "class FakeRedis:\n    def get(self, key): return 1\n"
TEST = "def test_a(): pass\n"


def fixture(body: str, head: str = "@pytest.fixture") -> str:
    """Return a conftest.py with one fixture, `db`."""
    return f"import pytest\n{MOCK}{head}\ndef db(monkeypatch):\n    {body}\n"


ASKS = "def test_a(db): pass\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"tests/conftest.py": fixture("return MagicMock()"), AT: ASKS}, [f"{AT}:1 GS16.fixture"]),
        ({"conftest.py": fixture("yield MagicMock()"), AT: ASKS}, [f"{AT}:1 GS16.fixture"]),
        (
            {"tests/integration/conftest.py": fixture("return MagicMock()"), AT: ASKS},
            ["tests/integration/conftest.py:5 GS16.mock", f"{AT}:1 GS16.fixture"],
        ),
        (
            {"tests/conftest.py": fixture("return MagicMock()", "@pytest.fixture(name='base')"), AT: ASKS},
            [],
        ),
        (
            {
                "tests/conftest.py": fixture("return MagicMock()", "@pytest.fixture(name='base')"),
                AT: "def test_a(base): pass\n",
            },
            [f"{AT}:1 GS16.fixture"],
        ),
        (
            {"tests/conftest.py": fixture("MagicMock()", "@pytest.fixture(autouse=True)"), AT: f"x = 1\n{TEST}"},
            [f"{AT}:2 GS16.fixture"],
        ),
        (
            {
                "tests/conftest.py": fixture("MagicMock()") + "@pytest.fixture\ndef app(db): return 1\n",
                AT: "def test_a(app): pass\n",
            },
            [f"{AT}:1 GS16.fixture"],
        ),
        (
            {
                "tests/conftest.py": fixture("MagicMock()")
                + "@pytest.fixture\n@pytest.mark.usefixtures('db')\ndef app(): return 1\n",
                AT: "import pytest\n@pytest.mark.usefixtures('x', 'app')\ndef test_a(): pass\n",
            },
            [f"{AT}:2 GS16.fixture"],
        ),
        (
            {
                "tests/conftest.py": fixture("MagicMock()"),
                AT: f"import pytest\npytestmark = pytest.mark.usefixtures('db')\n{TEST}",
            },
            [f"{AT}:2 GS16.fixture"],
        ),
        (
            {
                "tests/conftest.py": fixture("MagicMock()"),
                AT: "import pytest\n@pytest.mark.usefixtures('db')\nclass TestA:\n    def test_a(self): pass\n",
            },
            [f"{AT}:2 GS16.fixture"],
        ),
        # the nearest fixture of a name wins
        (
            {
                "tests/conftest.py": fixture("return MagicMock()"),
                "tests/integration/conftest.py": "import pytest\n@pytest.fixture\ndef db(): return 1\n",
                AT: ASKS,
            },
            [],
        ),
        # ... unless it asks for the one that it hides
        (
            {
                "tests/conftest.py": fixture("return MagicMock()"),
                "tests/integration/conftest.py": "import pytest\n@pytest.fixture\ndef db(db): return db\n",
                AT: ASKS,
            },
            [f"{AT}:1 GS16.fixture"],
        ),
        # what tests of units ask for, and what imitates nothing
        ({"tests/conftest.py": fixture("return MagicMock()"), "tests/unit/test_a.py": ASKS}, []),
        ({"tests/unit/conftest.py": fixture("return MagicMock()"), AT: ASKS}, []),
        ({"tests/conftest.py": fixture("monkeypatch.setenv('A', 'b')"), AT: ASKS}, []),
        ({"tests/conftest.py": fixture("return 1"), AT: ASKS}, []),
        (
            {
                "tests/conftest.py": fixture("return MagicMock()"),
                AT: "import pytest\n@pytest.mark.parametrize('db', [1])\ndef test_a(db): pass\n",
            },
            [],
        ),
        ({"tests/conftest.py": fixture("return MagicMock()"), AT: "def test_a(db=1): pass\n"}, []),
        # kinds of imitations
        (
            {"tests/conftest.py": fixture("monkeypatch.setattr('shop.a.b', lambda: 1)"), AT: ASKS},
            [f"{AT}:1 GS16.fixture"],
        ),
        (
            {"tests/conftest.py": f"{FAKE}import pytest\n@pytest.fixture\ndef db(): return FakeRedis()\n", AT: ASKS},
            [f"{AT}:1 GS16.fixture"],
        ),
        (
            {
                "tests/conftest.py": "import pytest, fakeredis as f\n@pytest.fixture\ndef db(): return f.FakeRedis()\n",
                AT: ASKS,
            },
            [f"{AT}:1 GS16.fixture"],
        ),
        (
            {
                "tests/__init__.py": "",
                "tests/fakes.py": FAKE,
                "tests/conftest.py": "import pytest\nfrom tests.fakes import FakeRedis\n@pytest.fixture\n"
                "def db(): return FakeRedis()\n",
                AT: ASKS,
            },
            [f"{AT}:1 GS16.fixture"],
        ),
        (
            {
                "tests/conftest.py": "import pytest\nfrom tests.help import make\n@pytest.fixture\n"
                "def db(): return make()\n",
                "tests/help.py": f"{MOCK}def make(): return MagicMock()\n",
                AT: ASKS,
            },
            [f"{AT}:1 GS16.fixture"],
        ),
        # fixtures from other modules
        (
            {
                "tests/fixtures.py": fixture("return MagicMock()"),
                "tests/conftest.py": "from tests.fixtures import db\n",
                AT: ASKS,
            },
            [f"{AT}:1 GS16.fixture"],
        ),
        (
            {
                "tests/fixtures.py": fixture("return MagicMock()"),
                "tests/conftest.py": "pytest_plugins = ['tests.fixtures']\n",
                AT: ASKS,
            },
            [f"{AT}:1 GS16.fixture"],
        ),
        # in the test's own file: the mock is the finding, once
        ({AT: fixture("return MagicMock()") + ASKS}, [f"{AT}:5 GS16.mock"]),
        (
            {"tests/unit/test_a.py": fixture("return MagicMock()") + "@pytest.mark.e2e\n" + ASKS},
            ["tests/unit/test_a.py:7 GS16.fixture"],
        ),
        # fixtures of a class
        (
            {
                "tests/unit/test_a.py": f"import pytest\n{MOCK}class TestA:\n    @pytest.fixture\n"
                "    def db(self): return MagicMock()\n    @pytest.mark.e2e\n    def test_a(self, db): pass\n"
                "class TestB:\n    @pytest.mark.e2e\n    def test_a(self, db): pass\n"
            },
            ["tests/unit/test_a.py:7 GS16.fixture"],
        ),
        (
            {
                "tests/conftest.py": fixture("return MagicMock()", "@pytest.fixture(params=[1])"),
                AT: "class TestA:\n    async def test_a(self, *, db): pass\n",
            },
            [f"{AT}:2 GS16.fixture"],
        ),
    ],
)
def test_fixtures(files: dict[str, str], expected: list[str]) -> None:
    """A test that asks for a fixture which imitates a service, in whatever number of steps, is one that mocks."""
    assert sorted(found(files, "GS16")) == sorted(expected)


def test_summary() -> None:
    """Fixtures have the names that tests ask for, and say what they imitate."""
    text = (
        f"import pytest\nimport pytest_asyncio\n{MOCK}"
        "@pytest.fixture(name='db', autouse=True)\ndef make_db(a, b=1): return MagicMock()\n"
        "@pytest_asyncio.fixture\nasync def real(): return 1\n"
        "def no_fixture(): return MagicMock()\n"
    )
    fixtures = summarize(read({"tests/conftest.py": text})["tests/conftest.py"]).fixtures
    assert fixtures == {
        "db": Fixture("`MagicMock` of unittest.mock", ("a",), True, 5, "make_db"),
        "real": Fixture("", (), False, 7, "real"),
    }
