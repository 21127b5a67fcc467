# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Conditions on the platform: what they are worth on Windows, and which places Windows therefore never reaches."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .scopes import Binding, Guard, Scope, Site
from .unix import ASKED, MODULES, WINDOWS_MODULES, WINDOWS_NAMES

if TYPE_CHECKING:
    from .context import Context

#: What a dotted name is worth on Windows.
_VALUES = {"sys.platform": "win32", "os.name": "nt"}
_CALLS = {"platform.system": "Windows"}
#: A mark or decorator that skips a test -> whether it does where its condition is true.
_SKIPS = {"pytest.mark.skipif": True, "unittest.skipIf": True, "unittest.skipUnless": False}
#: What the value of a variable may be for it to be compared: a constant, a platform's name, a part of it.
_FOLLOWED = (ast.Constant, ast.Attribute, ast.Call, ast.Subscript, ast.Tuple, ast.List, ast.Set)
_IMPORT_ERRORS = frozenset(
    {"builtins.ImportError", "builtins.ModuleNotFoundError", "builtins.Exception", "builtins.BaseException"}
)


def _value(node: ast.AST, scope: Scope, context: Context) -> object:
    """Return a constant, or what a platform's name is on Windows; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        items = [_value(item, scope, context) for item in node.elts]
        return None if None in items else items
    if isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in {"lower", "casefold", "upper"}:
            inner = _value(function.value, scope, context)
            return getattr(inner, function.attr)() if isinstance(inner, str) else None
        return _CALLS.get(context.name(function, scope))
    if isinstance(node, ast.Subscript) and isinstance(inner := _value(node.value, scope, context), str):
        return _sliced(inner, node.slice)
    if isinstance(node, ast.Name) and (found := scope.find(node.id)):
        where, bindings = found
        if len(bindings) == 1 and bindings[0].kind == "value" and isinstance(bindings[0].node, _FOLLOWED):
            return _value(bindings[0].node, where, context)
    return _VALUES.get(context.name(node, scope))


def _sliced(text: str, node: ast.AST) -> str | None:
    """Return the beginning of a platform's name: sys.platform[:3]."""
    upper = node.upper if isinstance(node, ast.Slice) and node.lower is None and node.step is None else None
    return text[: upper.value] if isinstance(upper, ast.Constant) and isinstance(upper.value, int) else None


def _compared(node: ast.Compare, scope: Scope, context: Context) -> bool | None:
    if len(node.ops) != 1:
        return None
    if isinstance(node.ops[0], ast.Is | ast.IsNot):
        other = node.comparators[0]
        if not isinstance(other, ast.Constant) or other.value is not None:
            return None
        return None if not _none(node.left, scope, context) else isinstance(node.ops[0], ast.Is)
    left, right = (_value(item, scope, context) for item in (node.left, node.comparators[0]))
    if (
        left is None
        or right is None
        or (isinstance(node.left, ast.Constant) and isinstance(node.comparators[0], ast.Constant))
    ):
        return None
    operator = node.ops[0]
    if isinstance(operator, ast.Eq):
        return left == right
    if isinstance(operator, ast.NotEq):
        return left != right
    if isinstance(operator, ast.In | ast.NotIn) and isinstance(right, list | str):
        return (left in right) == isinstance(operator, ast.In)
    return None


def _asked(node: ast.Call, scope: Scope, context: Context) -> bool | None:
    """Return the value of a call: startswith() of a platform's name, hasattr() of what Unix alone has."""
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in {"startswith", "endswith"} and node.args:
        text, part = _value(function.value, scope, context), _value(node.args[0], scope, context)
        if isinstance(text, str) and isinstance(part, str | list):
            part = tuple(part) if isinstance(part, list) else part
            return bool(getattr(text, function.attr)(part))
    name = context.name(function, scope)
    if name in {"builtins.hasattr", "builtins.getattr"} and len(node.args) == (2 if name.endswith("hasattr") else 3):
        return _has(node, scope, context)
    if name in _SKIPS:
        value = _condition(node, scope, context)
        return None if value is None else value == _SKIPS[name]
    if name == "pytest.importorskip" and node.args and isinstance(node.args[0], ast.Constant):
        return False if str(node.args[0].value).partition(".")[0] in MODULES else None
    return context.index.constant(f"{name}()") if name else None


def _condition(node: ast.Call, scope: Scope, context: Context) -> bool | None:
    """Return the value of a mark's condition; a text is one too."""
    test = node.args[0] if node.args else next((item.value for item in node.keywords if item.arg == "condition"), None)
    if isinstance(test, ast.Constant) and isinstance(test.value, str):
        try:
            test = ast.parse(test.value, mode="eval").body
        except SyntaxError:
            return None
        for item in ast.walk(test):
            ast.copy_location(item, node)
    return on_windows(test, scope, context) if test is not None else None


def _has(node: ast.Call, scope: Scope, context: Context) -> bool | None:
    """Return the value of hasattr() or getattr() of a module; None where Unix and Windows don't differ."""
    module, attribute = context.name(node.args[0], scope), node.args[1]
    if not module or not isinstance(attribute, ast.Constant) or not isinstance(attribute.value, str):
        return None
    dotted = f"{module}.{attribute.value}"
    if dotted in WINDOWS_NAMES:
        return True
    if dotted not in ASKED:
        return None
    default = node.args[2] if len(node.args) > 2 else None
    return False if default is None or (isinstance(default, ast.Constant) and not default.value) else None


def _none(node: ast.AST, scope: Scope, context: Context) -> bool:
    """Tell whether a variable is None on Windows: what getattr() didn't find, or an import that failed there."""
    if isinstance(node, ast.Call):
        return len(node.args) == 3 and _none(node.args[2], scope, context) and _asked(node, scope, context) is False
    if isinstance(node, ast.Constant):
        return node.value is None
    if not isinstance(node, ast.Name) or not (found := scope.find(node.id)):
        return False
    where, bindings = found
    if (failed := _failed(bindings)) is not None:
        return _none(failed, where, context)
    last = bindings[-1]
    return len(bindings) == 1 and isinstance(last.node, ast.Call) and _none(last.node, where, context)


def _failed(bindings: Sequence[Binding]) -> ast.AST | None:
    """Return the value that a handler gives a name where an import fails that Windows lacks."""
    for item in bindings:
        guard = item.guards[-1] if item.guards else None
        if item.kind == "value" and guard and guard.kind == "handler" and _imports(guard.node, MODULES):
            return item.node
    return None


def _imports(node: ast.AST, modules: frozenset[str]) -> bool:
    """Tell whether a `try` has an import of one of some modules in its body."""
    for item in node.body if isinstance(node, ast.Try) else ():
        names = [name.name for name in item.names] if isinstance(item, ast.Import) else []
        if isinstance(item, ast.ImportFrom) and not item.level and item.module:
            names = [item.module]
        if any(name.partition(".")[0] in modules for name in names):
            return True
    return False


def on_windows(node: ast.AST, scope: Scope, context: Context, depth: int = 0) -> bool | None:
    """Return the value of a condition on Windows, None where it does not depend on the platform alone."""
    if depth > 8:
        return None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = on_windows(node.operand, scope, context, depth + 1)
        return None if inner is None else not inner
    if isinstance(node, ast.BoolOp):
        values = [on_windows(item, scope, context, depth + 1) for item in node.values]
        decisive = isinstance(node.op, ast.Or)
        return decisive if decisive in values else None if None in values else not decisive
    if isinstance(node, ast.Compare):
        return _compared(node, scope, context)
    if isinstance(node, ast.Call):
        return _asked(node, scope, context)
    if isinstance(node, ast.Name | ast.Attribute):
        return _constant(node, scope, context, depth)
    return None


def _constant(node: ast.Name | ast.Attribute, scope: Scope, context: Context, depth: int) -> bool | None:
    """Return the value of a variable that keeps a condition, of this module or of another."""
    if isinstance(node, ast.Name) and (found := scope.find(node.id)):
        where, bindings = found
        if (failed := _failed(bindings)) is not None:
            return bool(failed.value) if isinstance(failed, ast.Constant) and not failed.value else None
        if bindings[-1].kind == "value" and bindings[-1].node is not None:
            return on_windows(bindings[-1].node, where, context, depth + 1)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
        owner = scope.owner
        kept = (owner.names.get(f"self.{node.attr}") or owner.names.get(node.attr) or ()) if owner else ()
        if owner and len(kept) == 1 and kept[0].kind == "value" and kept[0].node is not None:
            return on_windows(kept[0].node, owner, context, depth + 1)
    dotted = context.name(node, scope)
    if dotted == "typing.TYPE_CHECKING":
        return False
    return context.index.constant(dotted) if dotted else None


def _skipped(site: Site, context: Context) -> bool:
    """Tell whether a test, its class or its module is skipped on Windows by a mark."""
    scope: Scope | None = site.scope
    while scope:
        marks: list[ast.AST] = []
        if isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            marks = list(scope.node.decorator_list)
        elif scope.kind == "module":
            values = [item.node for item in scope.names.get("pytestmark", ()) if item.node is not None]
            marks = [
                mark
                for value in values
                for mark in (value.elts if isinstance(value, ast.List | ast.Tuple) else [value])
            ]
        if any(_skips(mark, scope.parent or scope, context) for mark in marks):
            return True
        scope = scope.parent
    return False


def _skips(mark: ast.AST, scope: Scope, context: Context) -> bool:
    """Tell whether a mark, or a variable that keeps one, skips on Windows."""
    if isinstance(mark, ast.Call) and context.name(mark.func, scope) not in _SKIPS:
        return False
    return on_windows(mark, scope, context) is True


def guarded(site: Site, context: Context, errors: Sequence[str] = ()) -> bool:
    """Tell whether Windows never reaches a place, or is let down gently there: a handler of an import's failure.

    `errors` are names of exceptions, beside those of imports, that count where a handler of the place catches them.
    """
    caught = _IMPORT_ERRORS | {f"builtins.{name}" for name in errors}
    known = context.guards.setdefault((id(site.scope), *errors), {})
    for guard in site.guards:  # many places have many guards in common
        value = known.get((guard.kind, guard.node))
        if value is None:
            value = known[guard.kind, guard.node] = _excludes(guard, site.scope, context, caught)
        if value:
            return True
    return _skipped(site, context)


def _excludes(guard: Guard, scope: Scope, context: Context, caught: frozenset[str]) -> bool:
    """Tell whether a guard keeps Windows out, or catches what fails there."""
    kind, node = guard
    if kind in {"if", "else", "after"}:
        value = on_windows(getattr(node, "test", node), scope, context)
        return value is not None and value == (kind != "if")
    if kind == "with" and isinstance(node, ast.With):
        return any(_suppresses(item.context_expr, scope, context, caught) for item in node.items)
    if not isinstance(node, ast.Try):
        return False
    if kind == "handler":
        return _imports(node, WINDOWS_MODULES)
    if kind == "unfailed":
        return _imports(node, MODULES)
    for handler in node.handlers:
        if _passes_on(handler):
            continue
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if any(item is None or context.name(item, scope) in caught for item in kinds):
            return True
    return False


def _passes_on(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler raises what it has caught: then it has handled nothing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and (
        last.exc is None or (isinstance(last.exc, ast.Name) and last.exc.id == handler.name)
    )


def _suppresses(node: ast.AST, scope: Scope, context: Context, caught: frozenset[str]) -> bool:
    """Tell whether a `with` lets an error of some pass: contextlib.suppress."""
    if not isinstance(node, ast.Call) or context.name(node.func, scope) != "contextlib.suppress":
        return False
    return any(context.name(item, scope) in caught for item in node.args)
