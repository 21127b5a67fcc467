# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a rule may ask about a place: what a name is, what a variable holds, whether Windows ever gets there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from .collect import Collected
from .guards import guarded, on_windows
from .index import Index, Summary
from .model import Edit, Finding
from .scopes import Binding, Scope, Site, lasting
from .shown import printable
from .source import Source
from .tiers import is_test

#: What goes over paths.
_PATHS = re.compile(r"pathlib\..*(\.(glob|rglob|iterdir)\(\)|\.parents)")
_DEEP = 12  # assignments in a row that are followed


def _bound_at(binding: Binding) -> tuple[int, int]:
    """Return line and column from which on a binding holds: `flow = flow.build()` reads the one before."""
    node = binding.node
    if binding.kind in {"class", "def", "param"}:
        return getattr(node, "lineno", 0), 0
    return getattr(node, "end_lineno", 0) or 0, getattr(node, "end_col_offset", 0) or 0


class Context:
    """One file, within its project."""

    def __init__(self, source: Source, collected: Collected, index: Index) -> None:
        self.source = source
        self.path = source.path
        self.collected = collected
        self.index = index
        self.rule = ""
        #: What a rule has found out about the whole file, by a name of the rule's.
        self.notes: dict[str, bool] = {}
        #: And the names that it has found, None for some that aren't visible.
        self.sets: dict[str, frozenset[str] | None] = {}
        #: Scope and errors -> guard -> whether it keeps Windows out.
        self.guards: dict[tuple[object, ...], dict[tuple[str, ast.AST], bool]] = {}
        self._methods: dict[Scope, list[Scope]] = {}
        self._names: dict[tuple[int, str, int], str] = {}
        self.for_tests = is_test(source.path)

    # What names mean

    def name(self, node: ast.AST | None, scope: Scope, depth: int = 0) -> str:
        """Return the dotted name of what an expression names: a module, class or function; "" for anything else.

        Aliases, re-exports and assignments of a name are followed. What the SDK defines has its own
        module's name; a builtin begins with `builtins.`.
        """
        if isinstance(node, ast.Attribute):
            head = self.name(node.value, scope, depth)
            return self.index.resolve(f"{head}.{node.attr}") if head else ""
        if isinstance(node, ast.Call):
            return self._fetched(node, scope, depth)
        if not isinstance(node, ast.Name) or depth > _DEEP:
            return ""
        key = (id(scope), node.id, node.lineno)
        if (known := self._names.get(key)) is None:
            known = self._names[key] = self._named(node, scope, depth)
        return known

    def _fetched(self, node: ast.Call, scope: Scope, depth: int) -> str:
        """Return what a call gives a name of: import_module("x"), __import__("x"), getattr(x, "y")."""
        function = node.func
        word = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        texts = [item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        if word not in {"import_module", "__import__", "getattr"} or not texts or depth > _DEEP:
            return ""
        named = self.name(function, scope, depth + 1)
        if named == "builtins.getattr" and len(node.args) == 2 and len(texts) == 1:
            head = self.name(node.args[0], scope, depth + 1)
            return self.index.resolve(f"{head}.{texts[0]}") if head else ""
        if named == "importlib.import_module" and not texts[0].startswith("."):
            return self.index.resolve(texts[0])
        if named == "builtins.__import__":
            whole = len(node.args) > 3 or any(item.arg == "fromlist" for item in node.keywords)
            return self.index.resolve(texts[0] if whole else texts[0].partition(".")[0])
        return ""

    def _named(self, node: ast.Name, scope: Scope, depth: int) -> str:
        found = scope.find(node.id)
        if not found:
            for star in self.collected.module.stars:
                split = self.index.split(star)
                if split and self.index.resolve(f"{star}.{node.id}") != f"{star}.{node.id}":
                    return self.index.resolve(f"{star}.{node.id}")
            return f"builtins.{node.id}"
        where, bindings = found
        return self._bound(self._last(bindings, node, where is scope), node.id, where, depth)

    def names(self, node: ast.AST, scope: Scope) -> list[str]:
        """Return all dotted names that an expression may name: a class that a `try` or an `if` defines twice, say."""
        first = self.name(node, scope)
        found = scope.find(node.id) if isinstance(node, ast.Name) else None
        if isinstance(node, ast.Name) and found and len(found[1]) > 1:
            where, bindings = found
            others = (self._bound(item, node.id, where, 0) for item in bindings if item.guards)
            return list(dict.fromkeys(name for name in (first, *others) if name))
        return [first] if first else []

    def _bound(self, binding: Binding, name: str, where: Scope, depth: int) -> str:
        if binding.kind == "import":
            return self.index.resolve(self._beside(binding.target))
        if binding.kind in {"class", "def"}:
            return ".".join(filter(None, (self.source.module, where.name, name)))
        if binding.kind == "value":
            return self.name(binding.node, where, depth + 1)
        return ""

    def _beside(self, target: str) -> str:
        """Return what a test imports from a module beside it: pytest puts a test's directory on sys.path."""
        package = self.source.module if self.source.package else self.source.module.rpartition(".")[0]
        if not package or not self.for_tests or self.index.split(target):
            return target
        found = self.index.split(f"{package}.{target}")
        return f"{package}.{target}" if found and len(found[0].module) > len(package) else target

    @staticmethod
    def _last(bindings: Sequence[Binding], node: ast.AST, here: bool) -> Binding:
        """Return the binding that holds at a place: the last before it in its own scope, else the last of all."""
        if len(bindings) == 1:
            return bindings[0]
        bindings = lasting(bindings)
        if not here:
            return bindings[-1]
        place = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
        before = [item for item in bindings if _bound_at(item) <= place]
        return (before or bindings)[-1]

    def origin(self, node: ast.AST | None, scope: Scope, depth: int = 0) -> str:
        """Return where a value comes from: dotted names, calls as `()`, "" where that can't be followed.

        `WorkflowBuilder()` is `kailash.workflow.builder.WorkflowBuilder()`, and `flow.build()` of such a variable is
        `kailash.workflow.builder.WorkflowBuilder().build()`. What `with` enters and an annotated parameter count as
        made by their class.
        """
        if node is None or depth > _DEEP:
            return ""
        if isinstance(node, ast.Await):
            return self.origin(node.value, scope, depth)
        if isinstance(node, ast.Call):
            return self._called(node, scope, depth)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, scope, depth)
        if isinstance(node, ast.BinOp):
            return self._joined(node, scope, depth)
        if isinstance(node, ast.BoolOp | ast.IfExp):
            return self._either(node, scope, depth)
        if not isinstance(node, ast.Name):
            return ""
        found = scope.find(node.id)
        if not found:
            return self.name(node, scope, depth)
        where, bindings = found
        return self._held(self._last(bindings, node, where is scope), node, where, depth)

    def _joined(self, node: ast.BinOp, scope: Scope, depth: int) -> str:
        """Return the origin of paths that `/` joins."""
        if not isinstance(node.op, ast.Div):
            return ""
        sides = (self.origin(item, scope, depth + 1) for item in (node.left, node.right))
        return "pathlib.Path()" if any(side.startswith("pathlib.") for side in sides) else ""

    def _either(self, node: ast.BoolOp | ast.IfExp, scope: Scope, depth: int) -> str:
        """Return the origin that all values of `a or b` and of `a if c else b` have, None aside."""
        values = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
        some = [value for value in values if not (isinstance(value, ast.Constant) and value.value is None)]
        found = {self.origin(value, scope, depth + 1) for value in some}
        return found.pop() if len(found) == 1 else ""

    def _held(self, binding: Binding, node: ast.Name, where: Scope, depth: int) -> str:
        if binding.kind in {"value", "entered"}:
            return self.origin(binding.node, where, depth + 1)
        if binding.kind == "item":
            return "pathlib.Path()" if _PATHS.fullmatch(self.origin(binding.node, where, depth + 1)) else ""
        if binding.kind == "param" and isinstance(binding.node, ast.arg):
            return self.made(binding.node.annotation, where.parent or where)
        if binding.kind == "annotated":
            return self.made(binding.node, where)
        dotted = self._bound(binding, node.id, where, depth)
        return self.index.origin(dotted) or dotted

    def _called(self, node: ast.Call, scope: Scope, depth: int) -> str:
        function = self.origin(node.func, scope, depth + 1)
        if not function:
            return ""
        return self._member(f"{function}()") or f"{function}()"

    def _member(self, dotted: str) -> str:
        """Return what a function or a method returns, or a property holds; of a base class where it has none."""
        if returned := self.index.origin(dotted):
            return returned
        head, _, member = dotted.rpartition(".")
        head = head.removesuffix("()")
        if "(" in head or not self.index.class_of(head):
            return ""
        found = (self.index.origin(f"{name}().{member}") for name in self.index.ancestors(head))
        return next(filter(None, found), "")

    def _attribute(self, node: ast.Attribute, scope: Scope, depth: int) -> str:
        if isinstance(node.value, ast.Name) and node.value.id == "self" and (owner := scope.owner):
            if bindings := owner.names.get(f"self.{node.attr}"):
                function = next((item for item in bindings if item.node is not None), None)
                inner = self._scope_of(owner, bindings[-1]) if function else owner
                return self.origin(bindings[-1].node, inner, depth + 1)
            return self._own(owner, node.attr)
        if isinstance(node.value, ast.Name) and node.value.id == "cls" and (owner := scope.owner):
            return self._own(owner, node.attr)
        head = self.origin(node.value, scope, depth + 1)
        if not head:
            return ""
        if "(" in head:
            return self._member(f"{head}.{node.attr}") or f"{head}.{node.attr}"
        dotted = self.index.resolve(f"{head}.{node.attr}")
        return self.index.origin(dotted) or dotted

    def _own(self, owner: Scope, member: str) -> str:
        """Return the origin of a method, or a property, of the class that a place is in; "" where it has no such."""
        dotted = ".".join(filter(None, (self.source.module, owner.name)))
        if held := self._member(f"{dotted}().{member}"):
            return held
        returned = self._member(f"{dotted}().{member}()")
        return f"{dotted}().{member}" if returned else ""

    def _scope_of(self, owner: Scope, binding: Binding) -> Scope:
        """Return the scope of the method that assigns an attribute of self."""
        line = getattr(binding.node, "lineno", 0)
        if not self._methods:
            for scope in self.collected.inner.values():
                if scope.parent and isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef):
                    self._methods.setdefault(scope.parent, []).append(scope)
        for scope in self._methods.get(owner, ()):
            node = scope.node
            if node.lineno <= line <= (node.end_lineno or line):  # type: ignore[attr-defined]
                return scope
        return owner

    def made(self, annotation: ast.AST | None, scope: Scope) -> str:
        """Return the origin of a value with an annotation: an instance of the class that it names."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except SyntaxError:
                return ""
            for item in ast.walk(annotation):
                ast.copy_location(item, scope.node)
                item.lineno = 10**9  # type: ignore[attr-defined]  # any binding of the module comes before
        if isinstance(annotation, ast.BinOp):  # X | None
            return self.made(annotation.left, scope) or self.made(annotation.right, scope)
        if isinstance(annotation, ast.Subscript):
            named = self.name(annotation.value, scope)
            if named in {"typing.Optional", "typing.Annotated"}:
                inner = annotation.slice
                return self.made(inner.elts[0] if isinstance(inner, ast.Tuple) else inner, scope)
            return f"{named}()" if named else ""
        named = self.name(annotation, scope)
        return f"{named}()" if named and named != "builtins.None" else ""

    def is_a(self, dotted: str, *bases: str) -> bool:
        """Tell whether a class is one of some, or inherits from one, through the project's own classes too."""
        return any(name in bases for name in self.index.ancestors(dotted))

    def class_name(self, node: ast.ClassDef, scope: Scope) -> str:
        """Return the dotted name of a class that is defined in a scope."""
        return ".".join(filter(None, (self.source.module, scope.name, node.name)))

    def inherits(self, node: ast.ClassDef, scope: Scope, *bases: str) -> bool:
        """Tell whether a class that is defined here inherits from one of some, in whatever number of steps."""
        return any(self.is_a(name, *bases) for base in node.bases if (name := self.name(base, scope)))

    # Where a place is

    def never_on_windows(self, site: Site, *errors: str) -> bool:
        """Tell whether a place is guarded against Windows: by a condition, or a handler of `errors`."""
        return guarded(site, self, errors)

    def on_windows(self, test: ast.AST, scope: Scope) -> bool | None:
        """Return the value that a condition has on Windows, None where it does not depend on that alone."""
        return on_windows(test, scope, self)

    @property
    def summary(self) -> Summary:
        """Return this file's own summary."""
        return self.index.by_path[self.path]

    def members(self, node: ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Yield the methods that a class defines itself."""
        for item in node.body:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                yield item

    # What a rule says

    def finding(
        self, node: ast.AST, found: str, expected: str, step: str, *, kind: str = "", edits: Sequence[Edit] = ()
    ) -> Finding:
        """Return a finding of the rule that is asked just now, at a node; it says whether --fix corrects it."""
        step = f"{step}; --fix does it" if edits else step
        line, column, end, end_column = self._place(node)
        rule = f"{self.rule}.{kind}" if kind else self.rule
        found, expected, step = map(printable, (found, expected, step))
        return Finding(rule, self.path, line, column + 1, end, end_column + 1, found, expected, step, tuple(edits))

    def edit(self, node: ast.AST, text: str) -> Edit:
        """Return the edit that puts a text in a node's place."""
        line, column, end, end_column = self._place(node)
        return Edit(line, column, end, end_column, text)

    def _place(self, node: ast.AST) -> tuple[int, int, int, int]:
        """Return where a node begins and ends: lines from 1, columns from 0 in characters."""
        line = getattr(node, "lineno", 1)
        end = int(getattr(node, "end_lineno", None) or line)
        column, end_column = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None) or 0
        return line, self._column(line, column), end, self._column(end, end_column)

    def _column(self, line: int, offset: int) -> int:
        """Return a column in characters: ast counts bytes of UTF-8."""
        if offset == 0 or self.source.text.isascii():
            return offset
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return len(text.encode()[:offset].decode(errors="ignore"))

    @cached_property
    def _lines(self) -> list[str]:
        return self.source.text.split("\n")

    def text(self, node: ast.AST) -> str:
        """Return the code of a node, in one line, shortened."""
        line, column, end, end_column = self._place(node)
        if not hasattr(node, "lineno"):
            return ""
        lines = self._lines[line - 1 : end]
        if lines:  # the end first: it may be the same line
            lines[-1] = lines[-1][:end_column]
            lines[0] = lines[0][column:]
        found = " ".join(" ".join(lines).split())
        return found if len(found) <= 80 else f"{found[:77]}…"
