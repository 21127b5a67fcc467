# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a text holds, as far as the code shows it: constants, what is put together from them, and variables of both."""

from __future__ import annotations

import ast

from .scopes import Scope

#: Stands for a part that isn't known.
UNKNOWN = "\0"
_DEEP = 8


def text_of(node: ast.AST | None, scope: Scope, depth: int = 0) -> str | None:
    """Return the text that an expression is, None where none of it shows; unknown parts are UNKNOWN."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if node is None or depth > _DEEP:
        return None
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(item, scope, depth) for item in node.values)
    if isinstance(node, ast.Name):
        return _variable(node, scope, depth)
    if isinstance(node, ast.BinOp):
        return _operated(node, scope, depth)
    if isinstance(node, ast.IfExp):
        both = [text_of(item, scope, depth + 1) for item in (node.body, node.orelse)]
        return None if both == [None, None] else "".join(item or UNKNOWN for item in both)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"format", "join"}:
        return text_of(node.func.value, scope, depth + 1)
    return None


def _part(node: ast.expr, scope: Scope, depth: int) -> str:
    value = node.value if isinstance(node, ast.FormattedValue) else node
    return text_of(value, scope, depth + 1) or (UNKNOWN if value is not node else "")


def _variable(node: ast.Name, scope: Scope, depth: int) -> str | None:
    found = scope.find(node.id)
    if not found or len(found[1]) != 1 or found[1][0].kind != "value":
        return None
    return text_of(found[1][0].node, found[0], depth + 1)


def _operated(node: ast.BinOp, scope: Scope, depth: int) -> str | None:
    left, right = (text_of(item, scope, depth + 1) for item in (node.left, node.right))
    if isinstance(node.op, ast.Add):
        return None if left is None and right is None else (left or UNKNOWN) + (right or UNKNOWN)
    if isinstance(node.op, ast.Mod):
        return left
    return (left if left is not None else right) if isinstance(node.op, ast.Mult) else None
