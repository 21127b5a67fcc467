# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Windows: modules and functions that only Unix has, and the encoding of files."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..context import Context
from ..model import Judgement, Rule
from ..scopes import Site
from ..unix import MODULES, NAMES

_ERRORS = ("AttributeError", "NotImplementedError", "OSError")


def _imported(site: Site, context: Context) -> Iterator[Judgement]:
    node = site.node
    if isinstance(node, ast.Import):
        modules = [item.name for item in node.names]
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        modules = [node.module]
    else:
        return
    for module in modules:
        top = module.partition(".")[0]
        if top not in MODULES or context.index.split(module):
            continue
        if context.never_on_windows(site):
            yield None
        else:
            yield context.finding(
                node,
                f"import of {top}, which only Unix has",
                "an import that Windows never reaches, or whose failure is handled",
                f"put it behind sys.platform != 'win32', or try … except ImportError, and do without {top} there",
            )


def _used(site: Site, context: Context) -> Iterator[Judgement]:
    node = site.node
    if isinstance(node, ast.ImportFrom):
        names = {f"{node.module}.{item.name}" for item in node.names} & NAMES if not node.level else set()
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        name = context.name(node, site.scope) if isinstance(node.value, ast.Name) else ""
        names = {name} & NAMES
    elif isinstance(node, ast.keyword):
        names = {"preexec_fn"} if node.arg == "preexec_fn" and not isinstance(node.value, ast.Constant) else set()
    else:
        return
    for name in sorted(names):
        if context.never_on_windows(site, *_ERRORS):
            yield None
        else:
            yield context.finding(
                node,
                f"{name}, which only Unix has",
                "code that Windows never reaches, or whose failure is handled",
                "put it behind sys.platform != 'win32' or hasattr(), with what Windows does instead",
            )


def _mode(node: ast.Call, place: int, default: str = "r") -> str | None:
    """Return the mode of an opened file, None where it can't be read."""
    given = (
        node.args[place] if len(node.args) > place else next((w.value for w in node.keywords if w.arg == "mode"), None)
    )
    if given is None:
        return default
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else None


#: Function that opens a file -> places of `mode` and `encoding` among its arguments, and its mode without one.
_FUNCTIONS = {
    **dict.fromkeys(("builtins.open", "io.open"), (1, 3, "r")),
    "os.fdopen": (1, 3, "r"),
    **dict.fromkeys(("tempfile.NamedTemporaryFile", "tempfile.TemporaryFile"), (0, 2, "w+b")),
    "tempfile.SpooledTemporaryFile": (1, 3, "w+b"),
    **dict.fromkeys(("gzip.open", "bz2.open"), (1, 3, "rb")),
    "lzma.open": (1, 99, "rb"),
}
#: Of these a mode without a letter is binary.
_PACKED = {"gzip.open", "bz2.open", "lzma.open"}
#: Method of pathlib.Path -> place of `encoding` among its arguments.
_METHODS = {"read_text": 0, "write_text": 1, "open": 2}


def _opened(site: Site, context: Context) -> Iterator[Judgement]:
    node = site.node
    assert isinstance(node, ast.Call)
    if not any(word.arg in {"encoding", None} for word in node.keywords):
        yield from _unnamed(node, site, context)
    elif context.name(node.func, site.scope) in _FUNCTIONS or _is_path(node.func, site, context):
        yield None


def _is_path(function: ast.expr, site: Site, context: Context) -> bool:
    """Tell whether a function is one of a path that opens it as text."""
    if not isinstance(function, ast.Attribute) or function.attr not in _METHODS:
        return False
    return context.origin(function.value, site.scope).startswith("pathlib.")


def _unnamed(node: ast.Call, site: Site, context: Context) -> Iterator[Judgement]:
    """Judge a call that names no encoding by a keyword."""
    named = context.name(node.func, site.scope)
    if named in _FUNCTIONS:
        place, encoding, default = _FUNCTIONS[named]
        mode = _mode(node, place, default)
        if len(node.args) > encoding or mode is None or (named in _PACKED and "t" not in mode):
            return
    elif isinstance(node.func, ast.Attribute) and _is_path(node.func, site, context):
        mode = _mode(node, 0) if node.func.attr == "open" else "r"
        if mode is None or len(node.args) > _METHODS[node.func.attr]:
            return
    else:
        return
    if "b" in mode:
        return
    yield context.finding(
        node,
        f"`{context.text(node)}` without an encoding",
        'encoding="utf-8"',
        "name it: Windows takes the code page of its language otherwise",
    )


_SOURCE = "ADR-009, Windows compatibility; Python library reference, Availability"
RULES = (
    Rule(
        id="WIN01",
        title="Import modules that only Unix has behind a guard",
        severity="critical",
        source=_SOURCE,
        rationale="The import alone ends the program on Windows: that is how kailash 0.9 failed there.",
        bad={"app.py": "import resource\n"},
        good={"app.py": "try:\n    import resource\nexcept ImportError:\n    resource = None\n"},
        on=(ast.Import, ast.ImportFrom),
        check=_imported,
    ),
    Rule(
        id="WIN02",
        title="Use functions and constants that only Unix has behind a guard",
        severity="high",
        source=_SOURCE,
        rationale="They raise AttributeError on Windows when the line is reached.",
        bad={"app.py": "import os\nimport signal\nos.kill(pid, signal.SIGKILL)\n"},
        good={
            "app.py": "import os\nimport signal\nimport sys\n"
            "if sys.platform == 'win32':\n    stop = signal.SIGTERM\nelse:\n    stop = signal.SIGKILL\n"
        },
        on=(ast.ImportFrom, ast.Attribute, ast.keyword),
        check=_used,
        known="methods of objects, such as loop.add_signal_handler; modules that others import on Unix alone are "
        "judged too",
    ),
    Rule(
        id="WIN03",
        title="Name the encoding of text files",
        severity="medium",
        source=f"{_SOURCE}; PEP 597",
        rationale="Without it Windows reads and writes in the code page of its language.",
        bad={"app.py": "with open('prices.csv') as handle:\n    handle.read()\n"},
        good={"app.py": "with open('prices.csv', encoding='utf-8') as handle:\n    handle.read()\n"},
        on=(ast.Call,),
        check=_opened,
        known="files that are opened through variables whose type is not visible",
    ),
)
