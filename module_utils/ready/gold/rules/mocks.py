# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Mocks: none in tests that are there to prove that parts work together."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..context import Context
from ..fakes import Fakes
from ..fixtures import Fixtures
from ..imitations import ON, Finder
from ..libraries import PLUGIN_FIXTURES
from ..model import Finding, Judgement, Rule
from ..scopes import Site
from ..tiers import E2E, REAL, Tiers, by_path, is_test

_NAMES = {"integration": "an integration test", E2E: "an end-to-end test"}
_REAL = "the real service"
_MOVE = "use the service that the stack provides, or move the test to tests/unit"


def _judged(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge a whole file at its module: fixtures, marks and classes belong together."""
    if not isinstance(site.node, ast.Module) or not is_test(context.path):
        return
    tiers = Tiers(context)
    if not tiers.real:
        yield from _for_all(context)
        return
    judged = _File(context, tiers)
    findings = list(judged.findings())
    yield from (finding for finding, _ in findings)
    violating = {id(span.site.node) for _, node in findings if (span := tiers.around(node))}
    for test in judged.tests():
        if id(test.node) not in violating:
            yield None


def _for_all(context: Context) -> Iterator[Judgement]:
    """Judge what a conftest.py, or a plugin of one, does for all tests: on its import, and in the hooks of pytest."""
    directory = _directory_of_tests(context)
    if directory is None:
        return
    real = (path for path in context.index.by_path if path.startswith(directory) and is_test(path))
    if not any(by_path(path) in REAL for path in real):
        return
    functions = [span for span in Tiers(context).spans if not isinstance(span.site.node, ast.ClassDef)]
    for use in Finder(context).uses():
        around = [span.site.node for span in functions if span.first <= getattr(use.node, "lineno", 0) <= span.last]
        outermost = getattr(around[0], "name", "") if around else ""
        if not around or outermost.startswith("pytest_"):
            where = f"in {outermost}()" if around else "on import"
            found = f"{use.what} {where}, for integration tests as well"
            yield context.finding(use.node, found, _REAL, _MOVE, kind=use.kind)


def _directory_of_tests(context: Context) -> str | None:
    """Return where the tests are that a file prepares, None where it is neither a conftest.py nor a plugin of one."""
    path = context.path
    if path.rpartition("/")[2] == "conftest.py":
        return path.removesuffix("conftest.py")
    return context.index.prepared(context.source.module)


class _File:
    """A file that has tests of tiers that want real services, or what helps them."""

    def __init__(self, context: Context, tiers: Tiers) -> None:
        self.context = context
        self.tiers = tiers

    def tests(self) -> Iterator[Site]:
        """Yield the tests of those tiers."""
        for span in self.tiers.spans:
            node, scope = span.site.node, span.site.scope
            if (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                and node.name.startswith("test")
                and scope.kind in {"module", "class"}
                and self.tiers.at(node) in REAL
            ):
                yield span.site

    def findings(self) -> Iterator[tuple[Finding, ast.AST]]:
        """Yield each finding, with the node that it is about."""
        seen: set[tuple[int, str]] = set()
        yield from self._uses(seen)
        yield from self._fakes()
        fixtures = Fixtures(self.context)
        for test in self.tests():
            yield from self._fixtures(test, fixtures, seen)

    def _finding(self, node: ast.AST, kind: str, what: str) -> tuple[Finding, ast.AST]:
        where = _NAMES[self.tiers.at(node)]
        return self.context.finding(_head(node), f"{what} in {where}", _REAL, _MOVE, kind=kind), node

    def _function(self, node: ast.AST) -> int:
        span = self.tiers.around(node)
        return id(span.site.node) if span else 0

    def _uses(self, seen: set[tuple[int, str]]) -> Iterator[tuple[Finding, ast.AST]]:
        for use in Finder(self.context).uses():
            if self.tiers.at(use.node) not in REAL:
                continue
            if use.library:
                key = self._function(use.node), use.library
                if key in seen:
                    continue
                seen.add(key)
            yield self._finding(use.node, use.kind, use.what)

    def _fakes(self) -> Iterator[tuple[Finding, ast.AST]]:
        """Yield fakes where they are defined, or used if that is elsewhere or in another tier."""
        fakes, seen = Fakes(self.context), set()
        for dotted, site in fakes.defined.items():
            if self.tiers.at(site.node) in REAL:
                seen.add((0, dotted))
                name = dotted.rpartition(".")[2]
                yield self._finding(site.node, "fake", f"the class {name}, which stands in for a service's client,")
        for site in self.context.collected.sites[ast.Call]:
            node = site.node
            assert isinstance(node, ast.Call)
            dotted = self.context.name(node.func, site.scope)
            key = (self._function(node), dotted)
            if (0, dotted) in seen or key in seen or not (dotted in fakes.defined or fakes.is_one(dotted)):
                continue
            if self.tiers.at(node) not in REAL:
                continue
            seen.add(key)
            name = dotted.rpartition(".")[2]
            yield self._finding(node, "fake", f"{name}(), which stands in for a service's client,")

    def _fixtures(
        self, test: Site, fixtures: Fixtures, seen: set[tuple[int, str]]
    ) -> Iterator[tuple[Finding, ast.AST]]:
        """Yield the fixtures that a test asks for which imitate a service, unless they are findings in this file."""
        for asked in fixtures.asked(test):
            if asked.fixture is None:
                library = PLUGIN_FIXTURES.get(asked.name)
                if library and (self._function(asked.node), library) not in seen:
                    yield self._finding(asked.node, "library", f"{asked.name}, a fixture of {library},")
            elif asked.imitates and not self._found_here(asked.path, asked.fixture.line):
                through = f", through {' and '.join(asked.through)}" if asked.through else ""
                yield self._finding(
                    asked.node,
                    "fixture",
                    f"the fixture {asked.name} of {asked.path}{through}, which uses {asked.imitates},",
                )

    def _found_here(self, path: str, line: int) -> bool:
        """Tell whether a fixture is in this file, in a tier in which what it uses is a finding itself."""
        place = ast.Pass(lineno=line, col_offset=0)
        return path == self.context.path and self.tiers.at(place) in REAL


def _head(node: ast.AST) -> ast.AST:
    """Return the first line of a definition: a finding of all of its lines would hide the others."""
    if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return node
    word = "class" if isinstance(node, ast.ClassDef) else "def"
    width = len(f"{word} {node.name}".encode()) + (6 if isinstance(node, ast.AsyncFunctionDef) else 0)
    return ast.Pass(
        lineno=node.lineno, col_offset=node.col_offset, end_lineno=node.lineno, end_col_offset=node.col_offset + width
    )


_STAND_IN = (
    "class FakeRedis:\n    def get(self, key):\n        return b'1'\n\n\n"
    "def test_cache():\n    assert Cache(FakeRedis()).get('a') == 1\n"
)

RULES = (
    Rule(
        id="GS16",
        title="Test against real services in tiers 2 and 3",
        severity="critical",
        source="gold-mocking-policy.md, testing-specialist.md: no mock objects, no stubbed responses, no fake "
        "implementations, no bypassing of calls in tests/integration and tests/e2e. Allowed in every tier: time, "
        "chance and environment (freeze_time, random.seed, patch.dict(os.environ)); in unit tests anything. "
        "ADR-009 counts files of all tests whose text has a word like MagicMock(: 16 of its 17 are unit tests",
        rationale="A mock answers as its author thinks that the service does: types, errors and limits stay unseen.",
        bad={
            "tests/conftest.py": "import pytest\nfrom unittest import mock as m\n\n\n@pytest.fixture\ndef client():\n"
            "    return m.MagicMock()\n",
            "tests/integration/test_orders.py": "from unittest.mock import patch\n\n\n@patch('shop.db.connect')\n"
            "def test_save(connect):\n    connect.return_value = None\n\n\n"
            "def test_send(client):\n    client.send()\n\n\n"
            "def test_ask(mocker, monkeypatch):\n    mocker.patch('shop.api.ask')\n"
            "    monkeypatch.setattr('requests.get', lambda url: None)\n",
            "tests/e2e/test_cache.py": f"import fakeredis\nfrom shop import Cache\n\n\n{_STAND_IN}\n\n"
            "def test_library():\n    Cache(fakeredis.FakeRedis())\n",
        },
        good={
            "tests/integration/test_orders.py": "import os\nfrom unittest.mock import patch\n\nimport redis\n"
            "from freezegun import freeze_time\n\n\n@freeze_time('2026-01-01')\ndef test_save(monkeypatch):\n"
            "    monkeypatch.setenv('MODE', 'test')\n    with patch.dict(os.environ, {'A': 'b'}):\n"
            "        assert redis.Redis().ping()\n",
            "tests/unit/test_orders.py": "from unittest.mock import MagicMock\n\n\ndef test_sum():\n    MagicMock()\n",
        },
        on=(ast.Module, *ON),
        check=_judged,
        known="A test whose tier neither a marker nor its path declares is not judged: name its directory "
        "tests/unit, tests/integration or tests/e2e, or mark it. Counted are the kinds mock (unittest.mock, mock), "
        "mocker (pytest-mock), monkeypatch (setattr by code of the test in place of the application's, a library's, or "
        "what reaches files, processes and networks), library (responses, respx, fakeredis, moto, vcrpy ...: once"
        " for each function), fake and fixture (of a conftest.py, or of a test's file, also through others). A "
        "class of test code is a fake when it has methods, is used, and its name begins or ends with Fake, Mock, "
        "Stub or Dummy and stands in for a client (FakeRedis, StubThing as client=; MockTurtle is none), or when "
        "it inherits from a client and replaces a method that reaches the service by one that calls nothing. So is an "
        "object of SimpleNamespace or type() with functions, under the name of a client. What a conftest.py, or a "
        "plugin that one names, does on its import or in a hook of pytest counts where a path below it declares a tier"
        ". Not counted: imports alone, "
        "sentinel, ANY, spies that call what is real (mocker.spy, wraps=), settings replaced by plain data, hidden "
        "modules, and servers that answer over a real connection (pytest-httpserver, the standard's own mock-api). "
        "Marks that a hook adds, marks of single parameters, and helpers that a changed sys.path finds are not seen",
    ),
)
