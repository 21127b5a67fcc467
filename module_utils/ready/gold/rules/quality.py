# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What holds for any Python code: errors are handled by their kind, functions say what they take and return."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..context import Context
from ..model import Judgement, Rule
from ..scopes import Site


def _caught(site: Site, context: Context) -> Iterator[Judgement]:
    node = site.node
    assert isinstance(node, ast.ExceptHandler)
    if node.type is None:
        yield context.finding(
            node,
            "a bare except:",
            "the exceptions that are meant",
            "name them: a bare one also takes KeyboardInterrupt and SystemExit",
            kind="bare",
        )
    elif context.name(node.type, site.scope) in {"builtins.Exception", "builtins.BaseException"} and _silent(node):
        yield context.finding(
            node,
            f"except {context.text(node.type)} whose body does nothing",
            "an error that is handled, logged or raised",
            "name the exceptions that are meant, or log it",
            kind="silent",
        )
    else:
        yield None


def _silent(node: ast.ExceptHandler) -> bool:
    return all(
        isinstance(item, ast.Pass | ast.Continue)
        or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
        for item in node.body
    )


def _described(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge public functions of modules and classes outside of tests."""
    node, scope = site.node, site.scope
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    path = context.path
    if node.name.startswith("_") or scope.kind not in {"module", "class"} or "test" in path.rpartition("/")[2]:
        return
    if path.startswith("tests/") or "/tests/" in path or (scope.kind == "class" and scope.name.startswith("_")):
        return
    missing = []
    if not ast.get_docstring(node, clean=False):
        missing.append("a docstring")
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    if (
        scope.kind == "class"
        and arguments
        and "builtins.staticmethod" not in (context.name(mark, scope) for mark in node.decorator_list)
    ):
        arguments = arguments[1:]
    if any(item.annotation is None for item in arguments) or node.returns is None:
        missing.append("type hints")
    if missing:
        yield context.finding(
            node, f"{node.name}() without {' and '.join(missing)}", "both", "add them", kind="described"
        )
    else:
        yield None


RULES = (
    Rule(
        id="GS18",
        title="Handle errors by their kind",
        severity="high",
        source="17-gold-standards/SKILL.md, error handling",
        rationale="What swallows every error hides the one that mattered. A bare except: is a violation even where it "
        "raises again: the standard names no exception to it, and `except BaseException` says what is meant.",
        bad={"app.py": "try:\n    load()\nexcept:\n    pass\ntry:\n    load()\nexcept Exception:\n    pass\n"},
        good={"app.py": "try:\n    load()\nexcept FileNotFoundError:\n    pass\n"},
        on=(ast.ExceptHandler,),
        check=_caught,
    ),
    Rule(
        id="GS21",
        title="Give public functions type hints and a docstring",
        severity="low",
        source="gold-standards-validator.md (which also wants unit tests below 1 s and no circular dependencies)",
        rationale="They are what a reader and a type checker go by.",
        bad={"app.py": "def price(amount):\n    return amount * 1.19\n"},
        good={
            "app.py": 'def price(amount: float) -> float:\n    """Return it with tax."""\n    return amount * 1.19\n'
        },
        on=(ast.FunctionDef, ast.AsyncFunctionDef),
        check=_described,
        known="how long tests take, which reading does not show: see test-app",
    ),
)
