# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which tier a test belongs to: by its marker, or else by its path. "" where nobody declares one.

A marker of the function beats one of its class, that of a class `pytestmark` of the module, and that the path.
Among directories below `tests` the outermost that names a tier decides: tests/unit/integration/ mirrors a package.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .scopes import Scope, Site

if TYPE_CHECKING:
    from .context import Context

UNIT, INTEGRATION, E2E = "unit", "integration", "e2e"
#: Tiers that want real services.
REAL = frozenset({INTEGRATION, E2E})
_NUMBERS = {"1": UNIT, "2": INTEGRATION, "3": E2E}
_WORDS = {
    "unit": UNIT,
    "units": UNIT,
    "integration": INTEGRATION,
    "e2e": E2E,
    "end_to_end": E2E,
    "endtoend": E2E,
    "end2end": E2E,
}
_RANK = {"": 0, UNIT: 1, INTEGRATION: 2, E2E: 3}
_TIER_NUMBER = re.compile(r"(?:.*_)?tier_?([123])(?:_.*)?")
_AROUND = re.compile(r"^\d+_|^tests?_|_?tests?$|_testing$")
_TESTS = {"tests", "test"}
#: Directories and modules that hold what tests use.
_HELPERS = {"testing", "fakes", "mocks", "stubs", "test_utils", "testutils"}
#: What is at the top of a project: directories above it say nothing about its tests.
_PROJECT = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", ".git", "requirements.txt")


def tier_of_word(name: str) -> str:
    """Return the tier that the name of a directory or a marker declares."""
    text = re.sub(r"[-\s.]+", "_", name.lower())
    if numbered := _TIER_NUMBER.fullmatch(text):
        return _NUMBERS[numbered[1]]
    for _ in range(2):
        text = _AROUND.sub("", text)
    return _WORDS.get(text, "")


def _is_test_file(name: str) -> bool:
    stem = name.removesuffix(".py")
    return stem == "conftest" or stem.startswith("test_") or stem.endswith(("_test", "_tests")) or stem in _TESTS


def is_test(path: str) -> bool:
    """Tell whether a file is code for tests: a test, or what helps tests."""
    *directories, name = path.lower().split("/")
    if _is_test_file(name) or name.removesuffix(".py") in _HELPERS:
        return True
    return any(
        part in _TESTS or part in _HELPERS or ("test" in part and tier_of_word(part) != "") for part in directories
    )


def project_of(path: Path) -> Path:
    """Return the directory that paths are relative to: that of a path, or the one around its tests.

    Relative to tests/integration itself no test has a tier: nothing in it would be judged.
    """
    directory = path if os.path.isdir(path) else path.parent  # os.path: False, too, of what nobody may look into
    found = directory
    for around in (directory, *directory.parents):
        if any(os.path.exists(around / name) for name in _PROJECT):
            return found
        if _of_tests(around):
            found = around.parent
    # nothing says where the project begins: from a tier upwards, as long as directories are of tests
    found = next((around for around in (directory, *directory.parents) if tier_of_word(around.name)), directory)
    while _of_tests(found):
        found = found.parent
    return found


def _of_tests(directory: Path) -> bool:
    return directory.name.lower() in _TESTS or tier_of_word(directory.name) != ""


def by_path(path: str) -> str:
    """Return the tier that a path declares: by directories, or else by the name of a test file."""
    *directories, name = path.lower().split("/")
    first = next((place for place, part in enumerate(directories) if part in _TESTS), None)
    for part in directories[first + 1 :] if first is not None else ():
        if tier := tier_of_word(part):
            return tier
    for part in directories[:first]:
        named = _is_test_file(name) if first is None else tier_of_word(part) == E2E  # a package may be `integration`
        if (tier := tier_of_word(part)) and ("test" in part or named):
            return tier
    return _by_name(name)


def _by_name(name: str) -> str:
    """Return the tier of test_integration.py, test_orders_integration.py, e2e_test.py and their like."""
    if not _is_test_file(name) or name == "conftest.py":
        return ""
    text = name.removesuffix(".py").removeprefix("test_").removesuffix("_test").removesuffix("_tests")
    for word, tier in _WORDS.items():
        if text == word or text.startswith(f"{word}_") or text.endswith(f"_{word}"):
            return tier
    return ""


def mark_of(node: ast.AST, scope: Scope, context: Context) -> str:
    """Return the name of the pytest marker that an expression is, with or without a call; "" for another."""
    origin = context.origin(node, scope).removesuffix("()")
    return origin.removeprefix("pytest.mark.") if origin.startswith("pytest.mark.") else ""


def _tier_of_mark(node: ast.AST, scope: Scope, context: Context) -> str:
    mark = mark_of(node, scope, context)
    if mark == "tier" and isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        value = str(node.args[0].value)
        return _NUMBERS.get(value, "") or tier_of_word(value)
    return tier_of_word(mark) if mark else ""


def _items(node: ast.AST | None) -> Iterator[ast.AST]:
    """Yield the marks of a `pytestmark`: one, or lists of them."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        for item in node.elts:
            yield from _items(item.value if isinstance(item, ast.Starred) else item)
    elif isinstance(node, ast.BinOp):
        yield from _items(node.left)
        yield from _items(node.right)
    elif node is not None:
        yield node


def pytestmark(scope: Scope) -> list[ast.AST]:
    """Return the marks that a module or a class sets for all of its tests."""
    bindings = scope.names.get("pytestmark", ())
    return [item for binding in bindings if binding.kind == "value" for item in _items(binding.node)]


def _highest(nodes: Iterable[ast.AST], scope: Scope, context: Context) -> str:
    tiers = [_tier_of_mark(node, scope, context) for node in nodes]
    return max(tiers, key=lambda tier: _RANK[tier], default="")


class Span(NamedTuple):
    """A function or a class, from its first decorator to its last line, and the tier that it declares."""

    first: int
    last: int
    tier: str
    site: Site


class Tiers:
    """The tiers of one file."""

    def __init__(self, context: Context) -> None:
        self.context = context
        module = context.collected.module
        self.module = _highest(pytestmark(module), module, context) or by_path(context.path)
        self.spans = sorted(self._spans(), key=lambda span: (span.first, -span.last))
        self._lines: dict[int, str] = {}
        self._functions: dict[int, Span] = {}
        for span in self.spans:
            lines = range(span.first, span.last + 1)
            if span.tier:
                self._lines.update(dict.fromkeys(lines, span.tier))
            if not isinstance(span.site.node, ast.ClassDef) and span.first not in self._functions:
                self._functions.update(dict.fromkeys(lines, span))

    def _spans(self) -> Iterator[Span]:
        sites = self.context.collected.sites
        for kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
            for site in sites[kind]:
                node = site.node
                assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
                tier = _highest(node.decorator_list, site.scope, self.context)
                if not tier and isinstance(node, ast.ClassDef):
                    tier = self._of_class(node, site.scope)
                yield Span(first, node.end_lineno or node.lineno, tier, site)

    def _of_class(self, node: ast.ClassDef, scope: Scope) -> str:
        """Return the tier that a class declares in its body, or inherits by a decorator from a base."""
        inner = self.context.collected.inner[node]
        if tier := _highest(pytestmark(inner), inner, self.context):
            return tier
        for base in node.bases:
            named = self.context.name(base, scope)
            for ancestor in self.context.index.ancestors(named) if named else ():
                found = self.context.index.class_of(ancestor)
                for mark in found.decorators if found else ():
                    if mark.startswith("pytest.mark.") and (tier := tier_of_word(mark.rpartition(".")[2])):
                        return tier
        return ""

    @property
    def real(self) -> bool:
        """Tell whether anything in this file belongs to a tier that wants real services."""
        return self.module in REAL or any(span.tier in REAL for span in self.spans)

    def at(self, node: ast.AST) -> str:
        """Return the tier of a place: of the innermost function or class around it that declares one."""
        return self._lines.get(getattr(node, "lineno", 0), self.module)

    def around(self, node: ast.AST) -> Span | None:
        """Return the outermost function around a place, decorators included: a test, a fixture, a helper."""
        return self._functions.get(getattr(node, "lineno", 0))
