# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures of pytest: what one imitates, which a test asks for, also through others."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .context import Context
from .fakes import Fakes, by_name
from .imitations import Finder, Use, library_of, mock_of
from .index import Fixture, Index
from .scopes import Scope, Site
from .tiers import mark_of, pytestmark

_MAKERS = {
    "pytest.fixture",
    "pytest.yield_fixture",
    "_pytest.fixtures.fixture",
    "pytest_asyncio.fixture",
    "pytest_asyncio.plugin.fixture",
}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def maker(node: ast.AST, scope: Scope, context: Context) -> ast.AST | None:
    """Return the decorator that makes a function a fixture, None for another function."""
    for item in getattr(node, "decorator_list", ()):
        if context.name(item.func if isinstance(item, ast.Call) else item, scope) in _MAKERS:
            return item  # type: ignore[no-any-return]
    return None


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    """Return the parameters of a test or a fixture that pytest fills: those without a default."""
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    required = positional[: len(positional) - len(args.defaults)] if args.defaults else positional
    required += [item for item, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if default is None]
    return [item for item in required if item.arg not in {"self", "cls", "request"}]


def used(marks: list[ast.AST], scope: Scope, context: Context) -> Iterator[tuple[str, ast.AST]]:
    """Yield the names that marks `usefixtures` ask for, with their places."""
    for mark in marks:
        if isinstance(mark, ast.Call) and mark_of(mark, scope, context) == "usefixtures":
            for item in mark.args:
                if isinstance(item, ast.Constant) and isinstance(item.value, str):
                    yield item.value, item


def read(context: Context) -> tuple[dict[str, Fixture], dict[str, str]]:
    """Return what tests may ask a file for: its fixtures, by their names, and functions that imitate a service."""
    sites = [site for kind in _FUNCTIONS for site in context.collected.sites[kind]]
    uses, fakes, calls = Finder(context).uses(), Fakes(context), _calls(context)
    fixtures, imitators = {}, {}
    for site in sites:
        if (mark := maker(site.node, site.scope, context)) is not None:
            name, fixture = _fixture(site, mark, uses, fakes, calls, context)
            fixtures[name] = fixture
            continue
        called = site.node.name  # type: ignore[attr-defined]
        helps = site.scope.kind == "module" and not called.startswith("test")
        if helps and (imitator := _imitator(site.node, uses, fakes, calls)):
            imitators[called] = imitator
    return fixtures, imitators


def _imitator(node: ast.AST, uses: list[Use], fakes: Fakes, called_at: dict[int, list[str]]) -> str:
    """Return the kind of what a function imitates a service with, and its name; "" if it does not."""
    first, last = lines(node)
    for use in uses:
        if first <= getattr(use.node, "lineno", 0) <= last:
            return f"{use.kind} {use.what.rstrip(',')}"
    called = (name for line in range(first, last + 1) for name in called_at.get(line, ()))
    return next((f"fake the class {name}" for name in called if name in fakes.defined), "")


def _fixture(
    site: Site, mark: ast.AST, uses: list[Use], fakes: Fakes, called_at: dict[int, list[str]], context: Context
) -> tuple[str, Fixture]:
    node = site.node
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    words = {word.arg: word.value for word in mark.keywords} if isinstance(mark, ast.Call) else {}
    name, autouse = words.get("name"), words.get("autouse")
    called = name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else node.name
    owner = f"{site.scope.name}." if site.scope.kind == "class" else ""
    first, last = lines(node)
    imitates = next((use.what.rstrip(",") for use in uses if first <= getattr(use.node, "lineno", 0) <= last), "")
    calls = [name for line in range(first, last + 1) for name in called_at.get(line, ())]
    imitates = imitates or next((f"the class {name}" for name in calls if name in fakes.defined), "")
    requests = [item.arg for item in parameters(node)]
    requests += [item for item, _ in used(node.decorator_list, site.scope, context)]  # type: ignore[arg-type]
    return f"{owner}{called}", Fixture(
        imitates,
        tuple(requests),
        isinstance(autouse, ast.Constant) and autouse.value is True,
        node.lineno,
        node.name,
        tuple(dict.fromkeys(calls))[:30],
    )


def lines(function: ast.AST) -> tuple[int, int]:
    """Return the first and the last line of a function, its decorators included."""
    marks = [item.lineno for item in getattr(function, "decorator_list", ())]
    line: int = function.lineno  # type: ignore[attr-defined]
    return min([line, *marks]), function.end_lineno or line  # type: ignore[attr-defined]


def _calls(context: Context) -> dict[int, list[str]]:
    """Return line -> dotted names of the project that are called there; what is known to imitate is left out."""
    found: dict[int, list[str]] = {}
    for site in context.collected.sites[ast.Call]:
        name = context.name(site.node.func, site.scope)  # type: ignore[attr-defined]
        if "." not in name or name.startswith(("builtins.", "pytest.")):
            continue
        if not mock_of(name, context.index) and not library_of(name, context.index)[0]:
            found.setdefault(site.node.lineno, []).append(name)  # type: ignore[attr-defined]
    return found


def plugins(context: Context) -> tuple[str, ...]:
    """Return the modules that `pytest_plugins` names."""
    bindings = context.collected.module.names.get("pytest_plugins", ())
    found = []
    for binding in bindings:
        node = binding.node
        items = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
        found += [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return tuple(found)


class Asked(NamedTuple):
    """A fixture that a test asks for: by which name, where, and what it imitates, through which others."""

    node: ast.AST
    name: str
    fixture: Fixture | None
    path: str
    #: What the fixture imitates, "" if nothing, and the names from it to the one that does.
    imitates: str = ""
    through: tuple[str, ...] = ()


class Fixtures:
    """The fixtures that the tests of one file may ask for."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.index = context.index
        self.known = self.index.fixtures(context.path)

    def asked(self, site: Site) -> Iterator[Asked]:
        """Yield what a test asks for: by its parameters, by marks, and what is there for every test."""
        node, scope, context = site.node, site.scope, self.context
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        filled = self._parametrized(node.decorator_list, scope)
        names: dict[str, ast.AST] = {item.arg: item for item in parameters(node) if item.arg not in filled}
        marks: list[tuple[list[ast.AST], Scope]] = [
            (list(node.decorator_list), scope),
            (pytestmark(context.collected.module), context.collected.module),
        ]
        inner: Scope | None = scope
        while inner and inner.kind == "class":
            marks.append(([*inner.node.decorator_list, *pytestmark(inner)], inner))  # type: ignore[attr-defined]
            inner = inner.parent
        for listed, where in marks:
            for name, place in used(listed, where, context):
                names.setdefault(name, place)
        owners = self._owners(scope)
        known = self._visible(owners)
        for name, (fixture, _) in known.items():
            if fixture.autouse and "." not in name:
                names.setdefault(name, node)
        for name, place in names.items():
            if found := known.get(name):
                yield Asked(place, name, *found, *self._imitates(name, known))
            else:
                yield Asked(place, name, None, "")

    def _parametrized(self, marks: list[ast.expr], scope: Scope) -> set[str]:
        """Return the parameters that get their values from parametrize."""
        found: set[str] = set()
        for mark in marks:
            if not isinstance(mark, ast.Call) or mark_of(mark, scope, self.context) != "parametrize" or not mark.args:
                continue
            if any(word.arg == "indirect" for word in mark.keywords):
                continue
            first = mark.args[0]
            items = first.elts if isinstance(first, ast.List | ast.Tuple) else [first]
            for item in items:
                if isinstance(item, ast.Constant) and isinstance(item.value, str):
                    found.update(word.strip() for word in item.value.split(","))
        return found

    def _owners(self, scope: Scope) -> list[str]:
        """Return the classes whose fixtures a test may ask for: its own, and their bases."""
        if scope.kind != "class":
            return []
        dotted = ".".join(filter(None, (self.context.source.module, scope.name)))
        return list(self.index.ancestors(dotted))

    def _visible(self, owners: list[str]) -> Mapping[str, tuple[Fixture, str]]:
        known = dict(self.known)
        for owner in reversed(owners):
            split = self.index.split(owner)
            if split:
                prefix = f"{split[1]}."
                for name, fixture in split[0].fixtures.items():
                    if name.startswith(prefix):
                        known[name.removeprefix(prefix)] = (fixture, split[0].path)
        return known

    def _imitates(self, name: str, known: Mapping[str, tuple[Fixture, str]]) -> tuple[str, tuple[str, ...]]:
        """Return what a fixture imitates, itself or through those that it asks for, and by which names."""
        waiting: list[tuple[str, tuple[str, ...], Mapping[str, tuple[Fixture, str]]]] = [(name, (), known)]
        seen: set[tuple[str, str]] = set()
        while waiting:
            current, through, visible = waiting.pop(0)
            if current not in visible:
                continue
            fixture, path = visible[current]
            if (current, path) in seen:
                continue
            seen.add((current, path))
            if imitates := fixture.imitates or imitated(self.index, fixture):
                return imitates, through
            for other in fixture.requests:
                above = self._above(path) if other == current else known
                waiting.append((other, (*through, other), above))
        return "", ()

    def _above(self, path: str) -> Mapping[str, tuple[Fixture, str]]:
        """Return the fixtures that one of the same name, which asks for the one that it hides, can see."""
        directory, _, name = path.rpartition("/")
        return self.index.fixtures(f"{directory.rpartition('/')[0]}/-" if name == "conftest.py" else f"{directory}/-")


def imitated(index: Index, fixture: Fixture) -> str:
    """Return what a fixture imitates by what it calls in other modules, "" if nothing."""
    for call in fixture.calls:
        named = index.resolve(call)
        split = index.split(named)
        if split and (known := split[0].imitators.get(split[1])):
            return known.partition(" ")[2]
        made = index.origin(f"{named}()").removesuffix("()") or named
        if mock := mock_of(made, index):
            if mock[:1].isupper() or mock.startswith("create_"):
                return f"`{mock}` of unittest.mock"
        elif library := library_of(made, index)[0]:
            return library
        elif by_name(index, named) or by_name(index, made):
            return f"the class {named}"
    return ""
