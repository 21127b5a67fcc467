# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What get_parameters() of a node declares, also where the dictionary is put together step by step."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from .context import Context
from .scopes import Scope

_DEEP = 6
Method = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Declared:
    """The parameters that a method declares.

    Attributes:
        items: their names with what declares each, and the scope of that.
        open: whether there may be more that can't be seen.
        inherits: whether those of the base class are among them.
    """

    items: list[tuple[str, ast.expr, Scope]] = field(default_factory=list)
    open: bool = False
    inherits: bool = False

    @property
    def names(self) -> set[str]:
        """Return the names."""
        return {name for name, _, _ in self.items}

    @property
    def empty(self) -> bool:
        """Tell whether nothing is declared, for certain."""
        return not self.items and not self.open and not self.inherits


def own(method: ast.AST, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of some kinds within a function, without those of functions and classes within it."""
    waiting = list(ast.iter_child_nodes(method))
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, kinds):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def returned(method: Method, context: Context) -> list[tuple[ast.Return, Declared]]:
    """Return the `return` statements of get_parameters() with what each declares."""
    scope = context.collected.inner[method]
    found = []
    for item in own(method, ast.Return):
        assert isinstance(item, ast.Return)
        declared = Declared()
        _Reader(method, context, declared).read(item.value, scope)
        found.append((item, declared))
    return found


def declared(method: Method, context: Context) -> Declared:
    """Return what get_parameters() declares by all its `return` statements together."""
    found = Declared()
    parts = [its for _, its in returned(method, context)]
    for its in parts:
        found.items += its.items
    found.open = not parts or any(its.open for its in parts)
    found.inherits = any(its.inherits for its in parts)
    return found


class _Reader:
    """Reads the expression that a method returns."""

    def __init__(self, method: Method, context: Context, found: Declared) -> None:
        self.method = method
        self.context = context
        self.found = found
        self.seen: set[tuple[int, str]] = set()

    def read(self, node: ast.AST | None, scope: Scope, depth: int = 0) -> None:
        """Add what an expression declares."""
        if depth > _DEEP:
            self.found.open = True
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                self._item(key, value, scope, depth)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            self.read(node.left, scope, depth + 1)
            self.read(node.right, scope, depth + 1)
        elif isinstance(node, ast.IfExp):
            self.read(node.body, scope, depth + 1)
            self.read(node.orelse, scope, depth + 1)
        elif isinstance(node, ast.Call):
            self._call(node, scope, depth)
        elif isinstance(node, ast.Name):
            self._name(node, scope, depth)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
            self._attribute(node, scope, depth)
        else:
            self.found.open = True

    def _item(self, key: ast.expr | None, value: ast.expr, scope: Scope, depth: int) -> None:
        if key is None:
            self.read(value, scope, depth + 1)
        elif isinstance(key, ast.Constant) and isinstance(key.value, str):
            self.found.items.append((key.value, value, scope))
        else:
            self.found.open = True

    def _call(self, node: ast.Call, scope: Scope, depth: int) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr == "get_parameters":
            inner = function.value
            above = isinstance(inner, ast.Call) and self.context.name(inner.func, scope) == "builtins.super"
            self.found.inherits |= above
            self.found.open |= not above
        elif isinstance(function, ast.Attribute) and function.attr == "copy" and not node.args:
            self.read(function.value, scope, depth + 1)
        elif self.context.name(function, scope) in {"builtins.dict", "copy.copy", "copy.deepcopy"}:
            self._given(node, scope, depth)
        else:
            self.found.open = True

    def _given(self, node: ast.Call, scope: Scope, depth: int) -> None:
        """Take what dict() or update() is given."""
        for item in node.args:
            self.read(item, scope, depth + 1)
        for word in node.keywords:
            key = ast.Constant(word.arg) if word.arg else None
            self._item(key, word.value, scope, depth)

    def _name(self, node: ast.Name, scope: Scope, depth: int) -> None:
        found = scope.find(node.id)
        if not found:
            self.found.open = True
            return
        where, bindings = found
        if (id(where), node.id) in self.seen:
            return  # x = {**x, …}
        self.seen.add((id(where), node.id))
        if any(item.kind not in {"value", "annotated"} for item in bindings) or (
            where.node is not self.method and len(bindings) > 1
        ):
            self.found.open = True
            return
        for item in bindings:
            if item.kind == "value":
                self.read(item.node, where, depth + 1)
        if where.node is self.method:
            self._changes(node.id, where, depth)

    def _changes(self, name: str, scope: Scope, depth: int) -> None:
        """Take what the method adds to its own dictionary."""
        for item in own(self.method, ast.Assign, ast.AugAssign, ast.Call):
            if isinstance(item, ast.Assign):
                for target in item.targets:
                    if isinstance(target, ast.Subscript) and getattr(target.value, "id", "") == name:
                        self._item(target.slice, item.value, scope, depth)
            elif isinstance(item, ast.AugAssign) and getattr(item.target, "id", "") == name:
                self.read(item.value, scope, depth + 1)
            elif isinstance(item, ast.Call):
                self._method(item, name, scope, depth)
        # handed to something that may add to it
        self.found.open |= any(
            isinstance(value, ast.Name) and value.id == name
            for item in own(self.method, ast.Call)
            if isinstance(item, ast.Call) and self.context.name(item.func, scope) not in _READING
            for value in (*item.args, *(word.value for word in item.keywords if word.arg))
        )

    def _method(self, item: ast.Call, name: str, scope: Scope, depth: int) -> None:
        function = item.func
        if not isinstance(function, ast.Attribute) or getattr(function.value, "id", "") != name:
            return
        if function.attr == "update":
            self._given(item, scope, depth)
        elif function.attr == "setdefault" and len(item.args) == 2:
            self._item(item.args[0], item.args[1], scope, depth)
        elif function.attr in {"pop", "popitem", "clear"}:
            self.found.open = True

    def _attribute(self, node: ast.Attribute, scope: Scope, depth: int) -> None:
        """Take a constant of the class; what the constructor sets may change."""
        owner = scope.owner
        bindings = owner.names.get(node.attr, []) if owner else []
        if owner and len(bindings) == 1 and bindings[0].kind == "value" and f"self.{node.attr}" not in owner.names:
            self.read(bindings[0].node, owner, depth + 1)
        else:
            self.found.open = True


_READING = frozenset(f"builtins.{name}" for name in ("dict", "len", "list", "print", "sorted", "set", "tuple"))
