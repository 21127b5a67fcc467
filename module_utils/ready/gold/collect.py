# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One pass over a syntax tree: the scopes of its names, and the places of the kinds that rules ask for."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from .scopes import Binding, Guard, Scope, Site
from .source import Source

#: Class of a node -> its fields that hold nodes with names in them: contexts, operators and the like have none.
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}
_BARE = {"ctx", "op", "ops", "kind", "type_comment", "lineno", "conversion", "attr", "id", "arg", "is_async", "simple"}
#: Guards of a place that are kept.
MOST_GUARDS = 200
_NO_NAMES = (ast.Constant, ast.Name)
_ENDING = {ast.If, ast.Assert, ast.Expr, ast.Assign, ast.Try}
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    found = _FIELDS.get(kind)
    if found is None:
        found = _FIELDS[kind] = tuple(name for name in kind._fields if name not in _BARE)
    return found


@dataclass(slots=True)
class Collected:
    """What one pass finds.

    Attributes:
        module: the scope of the module.
        inner: definition -> the scope within it.
        sites: kind of node -> the places of that kind, of the kinds that were asked for.
    """

    module: Scope
    inner: dict[ast.AST, Scope] = field(default_factory=dict)
    sites: dict[type[ast.AST], list[Site]] = field(default_factory=dict)


def leaves(body: Sequence[ast.stmt]) -> bool:
    """Tell whether a block always ends what is around it: return, raise, sys.exit(), pytest.skip() and the like."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, _LEAVES):
        return True
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        function = last.value.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        return name in {"exit", "_exit", "skip", "skipTest", "abort", "quit"}
    return isinstance(last, ast.If) and leaves(last.body) and leaves(last.orelse)


def _short_circuit(
    node: ast.BoolOp, scope: Scope, guards: tuple[Guard, ...]
) -> list[tuple[ast.AST, Scope, tuple[Guard, ...]]]:
    """Return the parts of `and` and `or`: each is reached if those before it are true, or all of them false."""
    found: list[tuple[ast.AST, Scope, tuple[Guard, ...]]] = []
    kind = "if" if isinstance(node.op, ast.And) else "else"
    for value in node.values:
        found.append((value, scope, guards))
        guards = _more(guards, Guard(kind, value))
    return found[::-1]


def _more(guards: tuple[Guard, ...], guard: Guard) -> tuple[Guard, ...]:
    """Return guards with one more; of a place that has very many no more, or memory would grow with their square."""
    return guards if len(guards) >= MOST_GUARDS else (*guards, guard)


def _matches(subject: ast.expr, pattern: ast.pattern) -> ast.expr | None:
    """Return the condition under which a pattern of constants matches, None for any other pattern."""
    found: ast.expr
    if isinstance(pattern, ast.MatchValue):
        found = ast.Compare(subject, [ast.Eq()], [pattern.value])
    elif isinstance(pattern, ast.MatchOr):
        parts = [_matches(subject, item) for item in pattern.patterns]
        if None in parts:
            return None
        found = ast.BoolOp(ast.Or(), [part for part in parts if part])
    elif isinstance(pattern, ast.MatchAs) and pattern.pattern:
        return _matches(subject, pattern.pattern)
    else:
        return None
    return ast.copy_location(found, pattern)


def _leaving(node: ast.stmt) -> Guard | None:
    """Return the condition under which what follows a statement is reached, None where it always is."""
    if isinstance(node, ast.If):
        if leaves(node.body):
            return Guard("after", node)
        return Guard("if", node) if leaves(node.orelse) else None
    if isinstance(node, ast.Assert):
        return Guard("if", node)
    if isinstance(node, ast.Try):
        return Guard("unfailed", node) if node.handlers and all(leaves(item.body) for item in node.handlers) else None
    value = node.value if isinstance(node, ast.Expr | ast.Assign) else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute | ast.Name):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else value.func.id
        return Guard("if", value) if name == "importorskip" else None
    return None


class _Pass:
    """The pass itself. Statements recurse, as deep as blocks are nested; expressions go by a stack."""

    def __init__(self, source: Source, wanted: Iterable[type[ast.AST]]) -> None:
        self.source = source
        self.found = Collected(Scope("module", "", source.tree), sites={kind: [] for kind in wanted})
        self.found.inner[source.tree] = self.found.module

    def run(self) -> Collected:
        if (sites := self.found.sites.get(ast.Module)) is not None:
            sites.append(Site(self.source.tree, self.found.module, ()))
        self.block(self.source.tree.body, self.found.module, ())
        return self.found

    def block(self, body: Sequence[ast.stmt], scope: Scope, guards: tuple[Guard, ...]) -> None:
        for statement in body:
            self.statement(statement, scope, guards)
            if statement.__class__ in _ENDING and (guard := _leaving(statement)):
                guards = _more(guards, guard)

    def statement(self, node: ast.stmt, scope: Scope, guards: tuple[Guard, ...]) -> None:
        kind = node.__class__
        if (sites := self.found.sites.get(kind)) is not None:
            sites.append(Site(node, scope, guards))
        method = _STATEMENTS.get(kind)
        if method is not None:
            method(self, node, scope, guards)
            return
        for name in _fields(kind):
            value = getattr(node, name, None)
            if value is not None:
                self.values(value, scope, guards)

    def values(self, value: object, scope: Scope, guards: tuple[Guard, ...]) -> None:
        """Take what a field holds: an expression, or a list of them."""
        if isinstance(value, list):
            for item in value:
                self.expression(item, scope, guards)
        elif isinstance(value, ast.AST):
            self.expression(value, scope, guards)

    def expression(self, root: ast.AST | None, scope: Scope, guards: tuple[Guard, ...]) -> None:
        if root is None:
            return
        sites, stack = self.found.sites, [(root, scope, guards)]
        while stack:
            node, scope, guards = stack.pop()
            kind = node.__class__
            if (listed := sites.get(kind)) is not None:
                listed.append(Site(node, scope, guards))
            if kind in _NO_NAMES:
                continue
            if kind in _SCOPED:
                self._scoped(node, scope, guards, stack)
                continue
            if kind is ast.NamedExpr:
                target = scope.enclosing("function") or scope.enclosing("class") or self.found.module
                target.bind(node.target.id, Binding("value", node.value, guards=guards))  # type: ignore[attr-defined]
                stack.append((node.value, scope, guards))  # type: ignore[attr-defined]
                continue
            if kind is ast.BoolOp:
                stack.extend(_short_circuit(node, scope, guards))  # type: ignore[arg-type]
                continue
            if kind is ast.IfExp:
                stack.append((node.orelse, scope, (*guards, Guard("else", node))))  # type: ignore[attr-defined]
                stack.append((node.body, scope, (*guards, Guard("if", node))))  # type: ignore[attr-defined]
                stack.append((node.test, scope, guards))  # type: ignore[attr-defined]
                continue
            for name in reversed(_fields(kind)):
                value = getattr(node, name, None)
                if value.__class__ is list:
                    stack.extend((item, scope, guards) for item in reversed(value) if isinstance(item, ast.AST))
                elif isinstance(value, ast.AST):
                    stack.append((value, scope, guards))

    def _scoped(
        self,
        node: ast.AST,
        scope: Scope,
        guards: tuple[Guard, ...],
        stack: list[tuple[ast.AST, Scope, tuple[Guard, ...]]],
    ) -> None:
        """Take a lambda or a comprehension: its names are its own."""
        inner = Scope("expression", scope.name, node, scope)
        self.found.inner[node] = inner
        if isinstance(node, ast.Lambda):
            self._parameters(node.args, scope, inner, guards)
            stack.append((node.body, inner, guards))
            return
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        for place, generator in enumerate(generators):
            self.target(generator.target, Binding("item", generator.iter, guards=guards), inner)
            self.expression(generator.iter, scope if place == 0 else inner, guards)
            for test in generator.ifs:
                stack.append((test, inner, guards))
                guards = _more(guards, Guard("if", test))
        parts = ("elt", "key", "value")
        stack.extend((getattr(node, name), inner, guards) for name in parts if hasattr(node, name))

    def target(self, node: ast.AST, binding: Binding, scope: Scope) -> None:
        """Bind what is assigned to: a name, or names in a tuple, which of the value they get is not followed."""
        if isinstance(node, ast.Name):
            scope.bind(node.id, binding)
        elif isinstance(node, ast.Tuple | ast.List):
            values = binding.node.elts if isinstance(binding.node, ast.Tuple | ast.List) else []
            same = binding.kind == "value" and len(values) == len(node.elts)
            for place, item in enumerate(node.elts):
                inner = item.value if isinstance(item, ast.Starred) else item
                element = binding._replace(kind="element", target=str(place))
                self.target(inner, binding._replace(node=values[place]) if same else element, scope)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            owner = scope.owner
            if owner:
                owner.bind(f"self.{node.attr}", binding)

    def _parameters(self, args: ast.arguments, scope: Scope, inner: Scope, guards: tuple[Guard, ...]) -> None:
        for item in (*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))):
            inner.bind(item.arg, Binding("param", item, guards=guards))
            self.expression(item.annotation, scope, guards)
        for default in (*args.defaults, *args.kw_defaults):
            self.expression(default, scope, guards)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, guards: tuple[Guard, ...]) -> None:
        scope.bind(node.name, Binding("def", node, guards=guards))
        inner = Scope("function", f"{scope.name}.{node.name}".lstrip("."), node, scope)
        self.found.inner[node] = inner
        self.values(node.decorator_list, scope, guards)
        self._parameters(node.args, scope, inner, guards)
        self.expression(node.returns, scope, guards)
        self.block(node.body, inner, guards)

    def class_(self, node: ast.ClassDef, scope: Scope, guards: tuple[Guard, ...]) -> None:
        scope.bind(node.name, Binding("class", node, guards=guards))
        inner = Scope("class", f"{scope.name}.{node.name}".lstrip("."), node, scope)
        self.found.inner[node] = inner
        for part in (node.decorator_list, node.bases, [item.value for item in node.keywords]):
            self.values(part, scope, guards)
        self.block(node.body, inner, guards)

    def if_(self, node: ast.If, scope: Scope, guards: tuple[Guard, ...]) -> None:
        self.expression(node.test, scope, guards)
        self.block(node.body, scope, (*guards, Guard("if", node)))
        self.block(node.orelse, scope, (*guards, Guard("else", node)))

    def try_(self, node: ast.Try, scope: Scope, guards: tuple[Guard, ...]) -> None:
        self.block(node.body, scope, (*guards, Guard("try", node)))
        for handler in node.handlers:
            if (sites := self.found.sites.get(ast.ExceptHandler)) is not None:
                sites.append(Site(handler, scope, guards))
            self.expression(handler.type, scope, guards)
            if handler.name:
                scope.bind(handler.name, Binding("other", handler, guards=guards))
            self.block(handler.body, scope, (*guards, Guard("handler", node)))
        self.block(node.orelse, scope, (*guards, Guard("unfailed", node)))
        self.block(node.finalbody, scope, guards)

    def for_(self, node: ast.For | ast.AsyncFor, scope: Scope, guards: tuple[Guard, ...]) -> None:
        self.expression(node.iter, scope, guards)
        self.target(node.target, Binding("item", node.iter, guards=guards), scope)
        self.block(node.body, scope, guards)
        self.block(node.orelse, scope, guards)

    def while_(self, node: ast.While, scope: Scope, guards: tuple[Guard, ...]) -> None:
        self.expression(node.test, scope, guards)
        self.block(node.body, scope, (*guards, Guard("if", node)))
        self.block(node.orelse, scope, guards)

    def with_(self, node: ast.With | ast.AsyncWith, scope: Scope, guards: tuple[Guard, ...]) -> None:
        for item in node.items:
            self.expression(item.context_expr, scope, guards)
            if item.optional_vars is not None:
                self.target(item.optional_vars, Binding("entered", item.context_expr, guards=guards), scope)
        self.block(node.body, scope, (*guards, Guard("with", node)))

    def match(self, node: ast.Match, scope: Scope, guards: tuple[Guard, ...]) -> None:
        self.expression(node.subject, scope, guards)
        for case in node.cases:
            for part in ast.walk(case.pattern):
                if name := getattr(part, "name", None) or getattr(part, "rest", None):
                    scope.bind(name, Binding("other", part, guards=guards))
            test = _matches(node.subject, case.pattern)
            reached = (*guards, Guard("if", test)) if test else guards
            self.expression(case.pattern, scope, guards)
            self.expression(case.guard, scope, reached)
            self.block(case.body, scope, (*reached, Guard("if", case.guard)) if case.guard else reached)
            if test and not case.guard:
                guards = _more(guards, Guard("else", test))

    def import_(self, node: ast.Import, scope: Scope, guards: tuple[Guard, ...]) -> None:
        for item in node.names:
            name = item.asname or item.name.partition(".")[0]
            scope.bind(name, Binding("import", node, item.name if item.asname else name, guards))

    def import_from(self, node: ast.ImportFrom, scope: Scope, guards: tuple[Guard, ...]) -> None:
        base = self.absolute(node)
        for item in node.names:
            if item.name == "*":
                scope.stars.append(base)
            else:
                scope.bind(item.asname or item.name, Binding("import", node, f"{base}.{item.name}", guards))

    def absolute(self, node: ast.ImportFrom) -> str:
        """Return the dotted name of what is imported from, also where the import is relative."""
        if not node.level:
            return node.module or ""
        parts = self.source.module.split(".")
        parts = parts[: len(parts) - node.level + self.source.package]
        return ".".join([*parts, *filter(None, [node.module])])

    def assign(self, node: ast.Assign, scope: Scope, guards: tuple[Guard, ...]) -> None:
        self.expression(node.value, scope, guards)
        for target in node.targets:
            self.target(target, Binding("value", node.value, guards=guards), scope)
            self.expression(target, scope, guards)

    def annotated(self, node: ast.AnnAssign, scope: Scope, guards: tuple[Guard, ...]) -> None:
        self.expression(node.annotation, scope, guards)
        self.expression(node.value, scope, guards)
        binding = (
            Binding("value", node.value, guards=guards)
            if node.value
            else Binding("annotated", node.annotation, guards=guards)
        )
        self.target(node.target, binding, scope)
        self.expression(node.target, scope, guards)

    def moved(self, node: ast.Global | ast.Nonlocal, scope: Scope, guards: tuple[Guard, ...]) -> None:
        scope.elsewhere.update(node.names)


_SCOPED = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_STATEMENTS: dict[type[ast.AST], Callable[..., None]] = {
    ast.FunctionDef: _Pass.function,
    ast.AsyncFunctionDef: _Pass.function,
    ast.ClassDef: _Pass.class_,
    ast.If: _Pass.if_,
    ast.Try: _Pass.try_,
    ast.For: _Pass.for_,
    ast.AsyncFor: _Pass.for_,
    ast.While: _Pass.while_,
    ast.With: _Pass.with_,
    ast.AsyncWith: _Pass.with_,
    ast.Match: _Pass.match,
    ast.Import: _Pass.import_,
    ast.ImportFrom: _Pass.import_from,
    ast.Assign: _Pass.assign,
    ast.AnnAssign: _Pass.annotated,
    ast.Global: _Pass.moved,
    ast.Nonlocal: _Pass.moved,
}
if hasattr(ast, "TryStar"):  # Python 3.11
    _STATEMENTS[ast.TryStar] = _Pass.try_


def collect(source: Source, wanted: Iterable[type[ast.AST]]) -> Collected:
    """Return the scopes of a source and the places of the kinds of nodes that are wanted. Raises RecursionError."""
    return _Pass(source, wanted).run()
