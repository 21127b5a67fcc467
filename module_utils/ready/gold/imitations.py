# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Places that imitate a service: mocks, patches, libraries that answer in its place. In any file, of whatever tier."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import NamedTuple

from .classless import stands_in
from .context import Context
from .fakes import marked, means_service
from .index import Index
from .libraries import CONTROLLED_WORDS, ENDING, LIBRARIES, PARTS, PURE, REACHING, controlled
from .scopes import Scope, Site
from .tiers import is_test, mark_of

#: What has to be collected for `uses`.
ON: tuple[type[ast.AST], ...] = (
    ast.Call,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.With,
    ast.AsyncWith,
    ast.Assign,
    ast.Return,
)
_CLASSES = {
    *("Mock", "MagicMock", "NonCallableMock", "NonCallableMagicMock", "AsyncMock", "PropertyMock", "ThreadingMock"),
    *("CoroutineMock", "create_autospec", "mock_open"),
}
_PATCHES = {"patch", "patch.object", "patch.multiple", "patch.context_manager"}
_MODULES = ("unittest.mock.", "mock.mock.", "mock.", "asynctest.mock.", "asynctest.", "asyncmock.")
#: pytest-mock's fixtures, and what of them makes a mock beside `patch` and the classes. `spy` calls what is real.
_MOCKERS = {"mocker", "class_mocker", "module_mocker", "package_mocker", "session_mocker"}
_MOCKER_TYPES = {"MockerFixture", "MockFixture"}
_STARRED = _CLASSES | {"patch"}
_STUBS = {"stub", "async_stub"}
_NOT_CALLED = ("builtins.", "typing.", "pytest.raises", "pytest.param", "functools.")


class Use(NamedTuple):
    """A place that imitates a service: its kind (of GS16), and what it is, in words."""

    node: ast.AST
    kind: str
    what: str
    #: The library, of the kind `library`: one finding for each in a function.
    library: str = ""


def mock_of(dotted: str, index: Index) -> str:
    """Return what of unittest.mock, or of a package like it, a dotted name is: "MagicMock", "patch.object"; or ""."""
    for module in _MODULES:
        if dotted.startswith(module):
            return "" if index.split(dotted) else dotted.removeprefix(module)
    return ""


def mock_class(dotted: str, index: Index) -> str:
    """Return the class of mocks that a dotted name is, or inherits from; "" for another."""
    if (found := mock_of(dotted, index)) in _CLASSES:
        return found
    if index.class_of(dotted):
        return next((found for name in index.ancestors(dotted) if (found := mock_of(name, index))), "")
    return ""


def library_of(dotted: str, index: Index) -> tuple[str, str]:
    """Return the library that imitates services to which a dotted name belongs, and what it does; or ("", "")."""
    if not dotted or index.split(dotted):
        return "", ""
    top = dotted.partition(".")[0].removesuffix("()")
    if top in LIBRARIES:
        return top, LIBRARIES[top]
    plain = dotted.replace("()", "")
    for part, does in PARTS.items():
        if plain == part or plain.startswith(f"{part}."):
            return part, does
    return "", ""


def _word(call: ast.Call, *names: str) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg in names), None)


def _through(call: ast.Call) -> bool:
    """Tell whether a mock calls what it wraps: a spy, which imitates nothing."""
    return _word(call, "wraps") is not None and _word(call, "return_value", "side_effect") is None


def constant(node: ast.AST | None) -> bool:
    """Tell whether a value is plain data: what replaces a setting, not a service."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return all(constant(item) for item in node.elts)
    if isinstance(node, ast.Dict):
        return all(constant(item) for item in (*filter(None, node.keys), *node.values))
    if isinstance(node, ast.UnaryOp):
        return constant(node.operand)
    if isinstance(node, ast.BinOp):
        return constant(node.left) or constant(node.right)
    return isinstance(node, ast.Constant | ast.JoinedStr | ast.Compare)


class Finder:
    """The places of one file."""

    def __init__(self, context: Context) -> None:
        self.context = context
        #: Whether a parameter may be one of the fixtures by its type, or a variable.
        self.typed = any(word in context.source.text for word in ("MonkeyPatch", *_MOCKER_TYPES))

    def uses(self) -> list[Use]:
        """Return them in the order of the text, without those within another."""
        sites = self.context.collected.sites
        found = [use for site in sites[ast.Call] for use in self._call(site)]
        for kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.With, ast.AsyncWith):
            found += [use for site in sites[kind] for use in self._bare(site)]
        found += [use for site in sites[ast.Assign] for use in self._assigned(site)]
        found += [use for site in sites[ast.Return] for use in self._returned(site)]
        found.sort(key=lambda use: (_place(use.node), -_end(use.node)[0], -_end(use.node)[1]))
        kept: list[Use] = []
        for use in found:
            if not kept or _place(use.node) >= _end(kept[-1].node):
                kept.append(use)
        return [use for use in kept if use.kind]

    def name(self, node: ast.AST, scope: Scope) -> str:
        """Return the dotted name of an expression, also of what `from unittest.mock import *` brings."""
        dotted = self.context.name(node, scope)
        star = next((star for star in self.context.collected.module.stars if f"{star}." in _MODULES), "")
        return dotted.replace("builtins.", f"{star}.", 1) if star and dotted.partition(".")[2] in _STARRED else dotted

    def _call(self, site: Site) -> Iterator[Use]:
        node, scope, context = site.node, site.scope, self.context
        assert isinstance(node, ast.Call)
        dotted = self.name(node.func, scope)
        tail = mock_of(dotted, context.index)
        if tail in _PATCHES:
            yield from self._patched(node, scope, tail, "mock", f"`{context.text(node.func)}` of unittest.mock")
        elif tail == "patch.dict":
            if self._replaces_modules(node, scope):
                yield Use(node, "mock", "a module replaced by `patch.dict(sys.modules, …)`")
        elif mock := mock_class(dotted, context.index):
            if not _through(node):
                yield Use(node, "mock", f"`{mock}` of unittest.mock")
        elif not dotted.startswith(_NOT_CALLED):
            yield from self._handed(node, scope)
        if chain := self.chain(node.func, scope):
            yield from self._fixture_call(node, scope, *chain)
        elif not tail and dotted:
            library, does = library_of(dotted, context.index)
            if library:
                if dotted.rpartition(".")[2] not in ENDING:
                    yield Use(node, "library", f"{library}, which {does},", library)
            elif made := self._made_elsewhere(node, scope, dotted):
                yield made

    def _handed(self, node: ast.Call, scope: Scope) -> Iterator[Use]:
        """Yield classes of mocks that are handed over without a call, and clients that are put together."""
        for word in node.keywords:
            if stands_in(word.value, word.arg or "", scope, self.context):
                yield Use(word.value, "fake", f"`{self.context.text(word.value)}` in place of a service's client")
        if isinstance(node.func, ast.Attribute) and node.func.attr.startswith("assert"):
            return
        for item in (*node.args, *(word.value for word in node.keywords if word.arg not in {"spec", "spec_set"})):
            if isinstance(item, ast.Name | ast.Attribute):
                mock = mock_of(self.name(item, scope), self.context.index)
                if mock in _CLASSES:
                    yield Use(item, "mock", f"`{mock}` of unittest.mock")

    def _returned(self, site: Site) -> Iterator[Use]:
        """Yield such an object that a fixture, or a helper, with the name of a client returns."""
        function = site.scope.enclosing("function")
        name = getattr(function.node, "name", "") if function else ""
        assert isinstance(site.node, ast.Return)
        if stands_in(site.node.value, name, site.scope, self.context) and site.node.value:
            text = self.context.text(site.node.value)
            yield Use(site.node.value, "fake", f"`{text}` in place of a service's client")

    def _made_elsewhere(self, node: ast.AST, scope: Scope, dotted: str) -> Use | None:
        """Return the use that a helper's call is which returns a mock, or patches something."""
        split = self.context.index.split(dotted)
        if not split or split[0].path == self.context.path:
            return None
        if known := split[0].imitators.get(split[1]):
            kind, _, what = known.partition(" ")
            return Use(node, kind, f"{dotted}(), which uses {what},")
        origin = self.context.origin(node, scope)
        mock = mock_of(origin.removesuffix("()"), self.context.index) if origin.endswith("()") else ""
        if mock in _CLASSES:
            return Use(node, "mock", f"`{mock}` of unittest.mock, made by {dotted}(),")
        library, does = library_of(origin, self.context.index)
        return Use(node, "library", f"{library}, which {does},", library) if library else None

    def _patched(self, node: ast.Call, scope: Scope, tail: str, kind: str, what: str) -> Iterator[Use]:
        """Yield a patch; one of time, chance or the environment has no kind, and hides the mock that it sets."""
        target = self.target(node, scope, tail == "patch")[0] if tail != "patch.multiple" else ""
        if target and controlled(target):
            yield Use(node, "", "")
        elif self._patches(node, scope, tail):
            yield Use(node, kind, what)

    def _patches(self, node: ast.Call, scope: Scope, tail: str) -> bool:
        """Tell whether a patch replaces more than a setting, by something that does not call it."""
        if _through(node):
            return False
        if tail == "patch.multiple":
            values = [word.value for word in node.keywords if word.arg]
            return not values or not all(constant(item) for item in values)
        _, used = self.target(node, scope, tail == "patch")
        new = node.args[used] if len(node.args) > used else _word(node, "new")
        return new is None or not constant(new)

    def target(self, node: ast.Call, scope: Scope, one: bool) -> tuple[str, int]:
        """Return the dotted name of what is replaced, "" if not known, and how many arguments say it."""
        if not node.args:
            text = _word(node, "target")
            return self._resolved(text), 0
        first = node.args[0]
        if one:
            return self._resolved(first), 1
        attribute = node.args[1] if len(node.args) > 1 else _word(node, "attribute", "name")
        head = self.context.name(first, scope)
        if head and isinstance(attribute, ast.Constant):
            return self.context.index.resolve(f"{head}.{attribute.value!s}"), 2
        return "", 2

    def _resolved(self, node: ast.expr | None) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.context.index.resolve(node.value)
        return ""

    def _replaces_modules(self, node: ast.Call, scope: Scope) -> bool:
        """Tell whether patch.dict puts something else in place of modules; None hides one, which imitates nothing."""
        if not node.args:
            return False
        first = node.args[0]
        named = self._resolved(first) or self.context.name(first, scope)
        values = node.args[1] if len(node.args) > 1 else _word(node, "values")
        return named == "sys.modules" and isinstance(values, ast.Dict) and not all(map(constant, values.values))

    def chain(self, node: ast.AST, scope: Scope) -> tuple[str, tuple[str, ...]] | None:
        """Return "mocker" or "monkeypatch", and the attributes taken of it, where a function is one of theirs."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.insert(0, node.attr)
            node = node.value
        if not attributes:
            return None
        if isinstance(node, ast.Name) and node.id == "self" and (owner := scope.owner) and len(attributes) > 1:
            bindings = owner.names.get(f"self.{attributes[0]}")
            if bindings and isinstance(bindings[-1].node, ast.Name):
                word = bindings[-1].node.id
                fixture = "mocker" if word in _MOCKERS else "monkeypatch" if word == "monkeypatch" else ""
                return (fixture, tuple(attributes[1:])) if fixture else None
        fixture = self._fixture(node, scope)
        return (fixture, tuple(attributes)) if fixture else None

    def _fixture(self, node: ast.AST, scope: Scope, depth: int = 0) -> str:
        if depth > 3:
            return ""
        if isinstance(node, ast.Name) and (found := scope.find(node.id)):
            where, bindings = found
            binding = bindings[-1]
            if binding.kind == "param" and isinstance(binding.node, ast.arg):
                if node.id in _MOCKERS:
                    return "mocker"
                if node.id == "monkeypatch":
                    return "monkeypatch"
            elif binding.kind == "value" and isinstance(binding.node, ast.Name):
                return self._fixture(binding.node, where, depth + 1)
            elif binding.kind in {"entered", "value"} and isinstance(binding.node, ast.Call):
                function = binding.node.func
                if isinstance(function, ast.Attribute) and function.attr == "context":
                    return self._fixture(function.value, where, depth + 1)
        made = self.context.origin(node, scope) if self.typed else ""
        last = made.replace("()", "").removesuffix(".context").rpartition(".")[2]
        if made.startswith(("pytest.", "_pytest.")) and last == "MonkeyPatch":
            return "monkeypatch"
        return "mocker" if made.startswith("pytest_mock.") and last in _MOCKER_TYPES else ""

    def _fixture_call(self, node: ast.Call, scope: Scope, fixture: str, taken: tuple[str, ...]) -> Iterator[Use]:
        """Yield what a call of mocker or monkeypatch imitates."""
        name = ".".join(taken)
        if fixture == "mocker":
            what = f"`{self.context.text(node.func)}` of pytest-mock"
            if name in _PATCHES:
                yield from self._patched(node, scope, name, "mocker", what)
                return
            if name == "patch.dict":
                hit = self._replaces_modules(node, scope)
            else:
                hit = name in _CLASSES | _STUBS and not _through(node)
            if hit:
                yield Use(node, "mocker", what)
        elif name == "setattr" and controlled(self.target(node, scope, _is_text(node.args))[0]):
            yield Use(node, "", "")
        elif (name == "setattr" and self._sets(node, scope)) or (name == "setitem" and self._sets_module(node, scope)):
            yield Use(node, "monkeypatch", f"`{self.context.text(node)}`")

    def _sets(self, node: ast.Call, scope: Scope) -> bool:
        """Tell whether monkeypatch puts code of the test in place of a service's, or of the application's."""
        one = _is_text(node.args)
        target, used = self.target(node, scope, one)
        value = node.args[used] if len(node.args) > used else _word(node, "value")
        attribute = node.args[1] if not one and len(node.args) > 1 else None
        word = str(attribute.value) if isinstance(attribute, ast.Constant) else ""
        return not (target == "" and word in CONTROLLED_WORDS) and self.imitates(target, value, scope, word)

    def _sets_module(self, node: ast.Call, scope: Scope) -> bool:
        values = node.args[2:3]
        return bool(values) and self.context.name(node.args[0], scope) == "sys.modules" and not constant(values[0])

    def imitates(self, target: str, value: ast.expr | None, scope: Scope, word: str = "") -> bool:
        """Tell whether a value that is set in place of a target, "" if that is not known, is code of the test.

        A class is, where its name, or the name that it gets, is one of a service's client: others may be settings.
        """
        if target and (controlled(target) or not self._reaches(target)):
            return False
        if isinstance(value, ast.Lambda):
            return True
        called = isinstance(value, ast.Call)
        named = self.context.name(value.func if isinstance(value, ast.Call) else value, scope)
        if isinstance(value, ast.Call) and named in {"functools.partial", "builtins.staticmethod"} and value.args:
            return self.imitates(target, value.args[0], scope, word)
        if mock_class(named, self.context.index):
            return True
        if not self._of_tests(named):
            return False
        if self.context.index.class_of(named) is None:
            return not called
        place = target.rpartition(".")[2] or word
        return not place or means_service(place) or marked(named)

    def _of_tests(self, dotted: str) -> bool:
        split = self.context.index.split(dotted)
        return bool(split and split[1] and is_test(split[0].path))

    def _reaches(self, target: str) -> bool:
        """Tell whether a name is the application's, a library's, or reaches files, processes and networks."""
        if self._of_tests(target):
            return False
        split = self.context.index.split(target)
        top = target.partition(".")[0]
        if split or top not in {*sys.stdlib_module_names, "builtins"}:
            return True
        return (top in REACHING and target not in PURE) or target == "builtins.open"

    def _bare(self, site: Site) -> Iterator[Use]:
        """Yield libraries in decorators and `with` without a call: @responses.activate, with respx.mock."""
        node, context = site.node, self.context
        if isinstance(node, ast.With | ast.AsyncWith):
            items = [item.context_expr for item in node.items]
        else:
            assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            items = node.decorator_list
        for item in items:
            if mark_of(item, site.scope, context) in {"vcr", "default_cassette"}:
                yield Use(item, "library", "a cassette, which replays recorded answers,", "vcr")
            elif isinstance(item, ast.Name | ast.Attribute):
                dotted = context.name(item, site.scope)
                library, does = library_of(dotted, context.index)
                if library:
                    yield Use(item, "library", f"{library}, which {does},", library)
                elif dotted and (made := self._made_elsewhere(item, site.scope, dotted)):
                    yield made

    def _assigned(self, site: Site) -> Iterator[Use]:
        """Yield code of the test that is put in place of a client's by an assignment: requests.get = fake_get."""
        node, scope = site.node, site.scope
        assert isinstance(node, ast.Assign)
        for target in node.targets:
            if stands_in(node.value, getattr(target, "id", getattr(target, "attr", "")), scope, self.context):
                yield Use(node.value, "fake", f"`{self.context.text(node.value)}` in place of a service's client")
            if isinstance(target, ast.Subscript) and self.context.name(target.value, scope) == "sys.modules":
                if not constant(node.value) and self.imitates("", node.value, scope):
                    yield Use(node, "monkeypatch", f"`{self.context.text(node)}`")
            elif isinstance(target, ast.Attribute):
                named = self.context.name(target, scope)
                if named and not named.startswith("builtins.") and self.imitates(named, node.value, scope):
                    yield Use(node, "monkeypatch", f"`{self.context.text(node)}`")


def _is_text(items: list[ast.expr]) -> bool:
    return bool(items) and isinstance(items[0], ast.Constant)


def _place(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _end(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", None) or 0, getattr(node, "end_col_offset", None) or 0
