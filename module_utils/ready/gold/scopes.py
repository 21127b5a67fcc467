# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What names mean within one module: scopes, their bindings, and the places that rules ask for."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Guard(NamedTuple):
    """A condition under which a place runs.

    `kind`: "if" and "else" (the condition is true, or false: `node` is it, or what has it as its `test`), "after"
    (behind an `if` whose branch leaves the block), "try" (the body of `node`, an ast.Try), "handler" (a handler),
    "unfailed" (the `else` of a `try`, or behind one whose
    handlers leave), "with" (the body of `node`, an ast.With).
    """

    kind: str
    node: ast.AST


class Site(NamedTuple):
    """A syntax node with where it is: the scope that its names are looked up in, and its guards, outermost first."""

    node: ast.AST
    scope: Scope
    guards: tuple[Guard, ...]


class Binding(NamedTuple):
    """One way in which a scope gives a name a meaning.

    `kind`: "import" (`target` is a dotted name), "class", "def" (`node` is the definition), "value" (`node` is the
    expression assigned), "annotated" (an annotation without a value), "param" (`node` is the ast.arg), "item" (`node`
    is what a `for` or a comprehension goes over), "entered" (`node` is what a `with` enters), "element" (`target`
    is its place in what `node` is unpacked to), "other".
    """

    kind: str
    node: ast.AST | None
    target: str = ""
    guards: tuple[Guard, ...] = ()


def lasting(bindings: Sequence[Binding]) -> Sequence[Binding]:
    """Return the bindings that count: what stands in when an import fails does not, beside that import."""
    tried = {guard.node for item in bindings for guard in item.guards if guard.kind == "try"}
    if not tried:
        return bindings
    kept = [
        item for item in bindings if not any(guard.kind == "handler" and guard.node in tried for guard in item.guards)
    ]
    return kept or bindings


@dataclass(slots=True, eq=False)
class Scope:
    """A scope of names.

    Attributes:
        kind: module, class, function or expression (a lambda or a comprehension).
        name: its qualified name within the module, "" for the module.
        node: the definition.
        parent: the scope around it.
        names: name -> its bindings, in the order of the text.
        elsewhere: names that `global` or `nonlocal` moves out.
        stars: modules whose names `import *` brings in, dotted.
    """

    kind: str
    name: str
    node: ast.AST
    parent: Scope | None = None
    names: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)

    def bind(self, name: str, binding: Binding) -> None:
        """Add a binding, where `global` and `nonlocal` say it belongs."""
        scope = self
        if name in self.elsewhere and self.parent:
            scope = self.parent
            while scope.parent and name not in scope.names:
                scope = scope.parent
        scope.names.setdefault(name, []).append(binding)

    def around(self) -> Iterator[Scope]:
        """Yield the scopes in which a name that is used here is looked up, nearest first: classes around are none."""
        yield self
        scope = self.parent
        while scope:
            if scope.kind != "class":
                yield scope
            scope = scope.parent

    def find(self, name: str) -> tuple[Scope, list[Binding]] | None:
        """Return the scope that gives a name its meaning here, and the bindings."""
        for scope in self.around():
            if found := scope.names.get(name):
                return scope, found
        return None

    def enclosing(self, kind: str) -> Scope | None:
        """Return the nearest scope of a kind, this one included."""
        scope: Scope | None = self
        while scope and scope.kind != kind:
            scope = scope.parent
        return scope

    @property
    def owner(self) -> Scope | None:
        """Return the class that a method's scope is directly in."""
        function = self.enclosing("function")
        return function.parent if function and function.parent and function.parent.kind == "class" else None
