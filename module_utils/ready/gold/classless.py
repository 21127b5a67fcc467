# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fakes without a class of their own: functions of a test put together, under the name of a client."""

from __future__ import annotations

import ast

from .context import Context
from .fakes import means_service
from .scopes import Scope
from .tiers import is_test


def stands_in(node: ast.AST | None, name: str, scope: Scope, context: Context) -> bool:
    """Tell whether an object has functions of the test, and the name of a client: SimpleNamespace(get=lambda …)."""
    if not isinstance(node, ast.Call) or not means_service(name) or not is_test(context.path):
        return False
    if isinstance(node.func, ast.Call):  # type("Client", (), {…})()
        return stands_in(node.func, name, scope, context)
    dotted = context.name(node.func, scope)
    if dotted == "types.SimpleNamespace":
        values = [word.value for word in node.keywords]
    elif dotted == "builtins.type" and len(node.args) == 3 and isinstance(node.args[2], ast.Dict):
        values = list(node.args[2].values)
    else:
        return False
    return any(isinstance(item, ast.Lambda) or _is_function(item, scope) for item in values)


def _is_function(node: ast.AST, scope: Scope) -> bool:
    found = scope.find(node.id) if isinstance(node, ast.Name) else None
    return bool(found and found[1][-1].kind == "def")
