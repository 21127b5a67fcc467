# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Errors that come to nothing: whoever validates so lets everything pass."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .context import Context
from .scopes import Scope

Method = ast.FunctionDef | ast.AsyncFunctionDef
#: What takes the error of a validator along with others.
_WIDE = frozenset({"builtins.Exception", "builtins.BaseException", "builtins.ValueError", "builtins.TypeError"})
#: What a handler does that others can notice.
_ANSWERS = (ast.Raise, ast.Return, ast.Continue, ast.Break, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Yield)


def _wide(handler: ast.ExceptHandler, scope: Scope, context: Context) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(item is None or context.name(item, scope) in _WIDE for item in kinds)


def ignored(method: Method, scope: Scope, context: Context) -> set[ast.AST]:
    """Return the calls of a method whose error, or whose answer, nobody asks for."""
    return {*_caught(method, scope, context), *_unasked(method, scope, context)}


def _caught(method: Method, scope: Scope, context: Context) -> Iterator[ast.AST]:
    """Yield what stands in a `try` whose handler does nothing but write a message."""
    for item in ast.walk(method):
        if not isinstance(item, ast.Try):
            continue
        for handler in item.handlers:
            answers = (part for inner in handler.body for part in ast.walk(inner) if isinstance(part, _ANSWERS))
            if _wide(handler, scope, context) and next(answers, None) is None:
                yield from (part for inner in item.body for part in ast.walk(inner) if isinstance(part, ast.Call))


def _unasked(method: Method, scope: Scope, context: Context) -> Iterator[ast.AST]:
    """Yield calls of validators of the same file that never raise, where their answer isn't used, or always is yes."""
    alone = {item.value for item in ast.walk(method) if isinstance(item, ast.Expr)}
    alone |= {item.value for item in alone if isinstance(item, ast.Await)}
    for item in ast.walk(method):
        if isinstance(item, ast.Call) and (called := _definition(item, scope)):
            answers = _swallows(called, context.collected.inner[called], context)
            if True in answers or (answers and item in alone):
                yield item


def _definition(call: ast.Call, scope: Scope) -> Method | None:
    """Return the function or the method of the same file that a call is of."""
    function, owner = call.func, scope.owner
    if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") in {"self", "cls"} and owner:
        bindings = owner.names.get(function.attr, [])
    elif isinstance(function, ast.Name) and (found := scope.find(function.id)):
        bindings = found[1]
    else:
        return None
    node = bindings[-1].node if bindings else None
    return node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _swallows(method: Method, scope: Scope, context: Context) -> set[object]:
    """Return what a validator answers in place of an error: nothing where it raises any."""
    tries = [item for item in ast.walk(method) if isinstance(item, ast.Try)]
    within = {part for item in tries for inner in item.body for part in ast.walk(inner)}
    if any(isinstance(item, ast.Raise) and item not in within for item in ast.walk(method)):
        return set()
    found: set[object] = set()
    for handler in (handler for item in tries for handler in item.handlers):
        if _wide(handler, scope, context):
            parts = [part for inner in handler.body for part in ast.walk(inner)]
            values = [part.value for part in parts if isinstance(part, ast.Return)]
            found |= {value.value if isinstance(value, ast.Constant) else None for value in values} or {None}
    return found
