# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an application's Python files hold, without importing them: test functions, imports of one system alone."""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Modules of the standard library that only Unix has, and that only Windows has.
UNIX = frozenset(
    ["crypt", "curses", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "readline", "resource", "spwd"]
) | {"syslog", "termios", "tty"}
WINDOWS = frozenset(("_winapi", "msvcrt", "winreg", "winsound"))
#: Files that are looked at, and bytes of each.
MOST, LARGEST = 20_000, 2 * 2**20
_FUNCTION = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+test", re.MULTILINE)


def count(text: str) -> int:
    """Return how many test functions a file has: its own and those of its classes, not those inside of functions."""
    tree = _parsed(text)
    if tree is None:
        return len(_FUNCTION.findall(text))
    return sum(1 for _ in _tests(tree.body))


def functions(text: str) -> list[str]:
    """Return the names of the test functions that pytest takes by its own rules, `Class::name` those of a class."""
    tree = _parsed(text)
    if tree is None:
        return []
    found = []
    for classes, name in _tests(tree.body):
        if all(its.name.startswith("Test") or _of_unittest(its) for its in classes):
            found.append("::".join([*(its.name for its in classes), name]))
    return found


def _parsed(text: str) -> ast.Module | None:
    """Return a file's tree, None of one that is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _is_fixture(decorator: ast.expr) -> bool:
    return ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator).endswith("fixture")


def _of_unittest(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).endswith("TestCase") for base in node.bases)


def _tests(
    body: list[ast.stmt], classes: tuple[ast.ClassDef, ...] = ()
) -> Iterator[tuple[tuple[ast.ClassDef, ...], str]]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name.startswith("test") and not any(_is_fixture(its) for its in node.decorator_list):
                yield classes, node.name
        elif isinstance(node, (ast.ClassDef, ast.If, ast.Try, ast.With)):
            inner = (*classes, node) if isinstance(node, ast.ClassDef) else classes
            yield from _tests(node.body, inner)
            yield from _tests(getattr(node, "orelse", []), inner)


def foreign_imports(text: str) -> list[tuple[int, str, str]]:
    """Return (line, module, `unix` or `windows`) of each import at the top of a file that one system alone has.

    What stands in `try`, `if` or a function is guarded, or is not met by an import.
    """
    tree = _parsed(text)
    if tree is None:
        return []
    found = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            continue
        tops = [name.partition(".")[0] for name in names]
        found += [(node.lineno, name, "unix") for name in tops if name in UNIX]
        found += [(node.lineno, name, "windows") for name in tops if name in WINDOWS]
    return found


def scan(root: Path) -> dict[str, Any]:
    """Return what the Python files below a directory hold.

    `files`: path -> number of test functions; `functions`: path -> their names, for files that are named as those of
    tests; `imports`: [{file, line, module, system}].
    """
    files: dict[str, int] = {}
    names_of: dict[str, list[str]] = {}
    imports: list[dict[str, Any]] = []
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if not name.endswith(".py") or path.is_symlink() or len(files) >= MOST or path.stat().st_size > LARGEST:
                continue
            relative = str(path.relative_to(root))
            text = path.read_text(encoding="utf-8", errors="replace")
            files[relative] = count(text)
            if name.startswith("test_") or name.endswith("_test.py"):
                names_of[relative] = functions(text)
            imports += [
                {"file": relative, "line": line, "module": module, "system": system}
                for line, module, system in foreign_imports(text)
            ]
    return {"files": files, "functions": names_of, "imports": imports}
