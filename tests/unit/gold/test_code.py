"""Workflows, imports, errors and secrets, in shapes that real code has."""

from __future__ import annotations

import pytest

from tests.unit.gold.goldfiles import found

SDK = (
    "from kailash.nodes.base import Node, NodeParameter, register_node\n"
    "from kailash.workflow.builder import WorkflowBuilder\nfrom kailash.runtime.local import LocalRuntime\n"
)


def rules(text: str, *chosen: str) -> list[str]:
    """Return the rules of the findings of a text."""
    return [item.split()[1].partition(".")[0] for item in found({"app.py": text}, *chosen)]


@pytest.mark.parametrize(
    ("text", "rule", "count"),
    [
        ("class R(LocalRuntime): pass\nR().execute(WorkflowBuilder())", "GS11", 1),
        ("class R(LocalRuntime):\n    def execute(self, flow): pass\nR().execute(WorkflowBuilder())", "GS11", 0),
        ("class B(WorkflowBuilder):\n    def add_connection(self, a, b): pass\nB().add_connection(1, 2)", "GS12", 0),
        ("class B(WorkflowBuilder): pass\nclass C(B): pass\nC().add_connection(1, 2)", "GS12", 1),
        (
            "def f():\n    def g() -> WorkflowBuilder: ...\n    def h(): return g()\n    h().add_connection(1, 2)",
            "GS12",
            1,
        ),
        ("r, _ = LocalRuntime().execute(f)\nfor n in r:\n    r[n].price", "GS15", 1),
        ("r, _ = LocalRuntime().execute(f)\nr['a'].get('result').price", "GS15", 0),
        ("r, _ = LocalRuntime().execute(f)\nr['a']['result'].price", "GS15", 0),
    ],
)
def test_workflows(text: str, rule: str, count: int) -> None:
    """Classes of the project's own are the SDK's, where they leave the methods alone."""
    assert len(rules(SDK + text, rule)) == count


@pytest.mark.parametrize(
    ("line", "files", "wrong"),
    [
        ("from prices import RATE", {"prices": "RATE = 1"}, True),
        ("import prices.eu", {"prices/__init__": "", "prices/eu": ""}, True),
        ("import prices\nprices.rate()", {"prices": "def rate(): pass"}, True),
        ("import redis\nredis.Redis()", {"redis": "class Adapter: pass"}, False),
        ("from redis import Redis", {"redis": "from redis import Redis"}, False),
        ("import types", {"types": ""}, False),
        ("import prices", {"../prices": "", "prices": ""}, False),
        ("from shop import prices", {"prices": ""}, False),
    ],
)
def test_siblings(line: str, files: dict[str, str], wrong: bool) -> None:
    """A package's own module, as if it were at the top; a library of the same name is another."""
    project = {f"shop/{name}.py".replace("shop/../", ""): text for name, text in files.items()}
    assert bool(found({"shop/__init__.py": "", "shop/a.py": line, **project}, "GS01")) == wrong


def test_scripts_import_what_is_beside_them() -> None:
    """A directory without __init__.py is no package; tests find their helpers."""
    files = {"bin/a.py": "import b\n", "bin/b.py": "", "tests/__init__.py": "", "tests/c.py": ""}
    assert found(files | {"tests/test_a.py": "import c\n"}, "GS01") == []


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("u = 'amqp://:Zt5wQe8uIo@mq:5672'", 1),
        ("u = 'http://:@host'", 0),
        ("u = 'give it as postgresql://user:password@host:5432/name'", 0),
        ("u = 'mysql://root:my_secret@host'", 0),
        ("u = 'mysql://root:password7Zt@host'", 1),
        ("u = 'https://host:8080/a@b'", 0),
        ("x = os.environ.get('DB_PASSWORD', default='Zt5$wQe8')", 1),
        ("x = os.environ.setdefault('DB_PASSWORD', 'Zt5$wQe8')", 1),
        ("x = os.getenv('DB_PASSWORD_FILE', '/run/secrets/db')", 0),
        ("x = settings.get('password', 'Zt5$wQe8')", 1),
        ("def f(*, api_key='Zt5$wQe8'): pass", 1),
        ("async def f(token='Zt5$wQe8', /): pass", 1),
        ("def f(password=None, token=''): pass", 0),
        ("h = f(auth='Basic c2hvcDpadDV3UWU4dUlvCg==')", 1),
        ("h = 'Bearer authentication-is-required-here'", 0),
        ("h = f'Bearer {token}'", 0),
        ("password = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzaG9wIn0.dBjftJeZ4CVPmB92K27uhb'", 1),
    ],
)
def test_secrets(line: str, count: int) -> None:
    """Defaults, headers, and URLs without a user."""
    assert len(rules("import os\n" + line, "GS17")) == count


def test_bare_except_that_raises_again() -> None:
    """The standard names no exception to it."""
    assert rules("try:\n    x()\nexcept:\n    log()\n    raise\n", "GS18") == ["GS18"]


def test_classes_that_have_the_field() -> None:
    """The nearest class that declares it runs it, or nobody does."""
    text = SDK + "class A(NodeParameter):\n    validation_rules: list\nclass B(A): pass\nclass C(NodeParameter): pass\n"
    assert rules(text + "B(name='a', type=str, validation_rules=[])", "SEC02") == []
    assert rules(text + "C(name='a', type=str, validation_rules=[])", "SEC02") == ["SEC02"]
