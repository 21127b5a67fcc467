# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file of Python as text and syntax tree, or the reason why it has none."""

from __future__ import annotations

import ast
import io
import os
import re
import stat
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path

#: Larger files are generated, and cost more memory than they are worth: bytes.
LARGEST = 4_000_000
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_SPECIAL = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_ALLOW = re.compile(
    r"#\s*ready:\s*allow\s+(?P<rules>[A-Z]+\d+(?:\.[a-z_]+)?(?:\s*,\s*[A-Z]+\d+(?:\.[a-z_]+)?)*)\s*(?P<reason>.*)"
)
_ANY = re.compile(r"#\s*ready:\s*allow")
_PYTHON_2 = re.compile(
    r"^\s*(print\s+[^(=\s]|exec\s+[\"']|except\s+[\w.]+\s*,\s*\w+\s*:|raise\s+\w+\s*,)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that can't be read as Python: which kind of trouble, where, and what to do."""

    kind: str
    line: int
    found: str
    expected: str
    next: str


@dataclass(slots=True)
class Source:
    """A file that was read.

    Attributes:
        path: relative to the project, with slashes.
        module: its dotted name, "" for a script outside of packages whose name is no identifier.
        package: whether it is an __init__.py.
        text, tree: its content.
        allowed: line -> rule id (or id.kind) -> reason, as comments `# ready: allow GS16 reason` say.
    """

    path: str
    module: str
    package: bool
    text: str
    tree: ast.Module
    allowed: dict[int, dict[str, str]]


def comments(text: str) -> dict[int, dict[str, str]]:
    """Return line -> rule -> reason of comments that allow violations, on their own line or on the one above.

    Only real comments count: text in strings is none.
    """
    if not _ANY.search(text):  # reading tokens takes longer than all else
        return {}
    found: dict[int, dict[str, str]] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type != tokenize.COMMENT or not (match := _ALLOW.match(token.string)):
                continue
            own_line = not token.line[: token.start[1]].strip()
            rules = {rule.strip(): match["reason"].strip() for rule in match["rules"].split(",")}
            found.setdefault(token.start[0] + own_line, {}).update(rules)
    except (tokenize.TokenError, IndentationError):  # ast has read it: what is allowed so far counts
        pass
    return found


def _problem(error: Exception, data: bytes) -> Problem:
    line = getattr(error, "lineno", None) or 1
    reason = getattr(error, "msg", "") or str(error)  # str() of a SyntaxError has the file's name, which may say codec
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        return Problem("null byte", line, "a null byte", "text", "save it as UTF-8 text, or exclude it")
    if isinstance(error, UnicodeDecodeError | LookupError) or "codec" in reason or "encoding" in reason:
        return Problem(
            "encoding", line, reason, "the encoding that its first lines declare, or UTF-8", "save it as UTF-8"
        )
    if isinstance(error, RecursionError | MemoryError):
        return Problem(
            "nesting", line, "expressions nested too deeply", "code that Python can parse", "split them, or exclude it"
        )
    if _PYTHON_2.search(data.decode("latin-1")):
        return Problem("Python 2", line, f"Python 2 ({reason})", "Python 3", "convert it, or exclude it")
    return Problem(
        "syntax", line, f"a syntax error: {reason}", "code that Python can parse", "correct it, or exclude it"
    )


def _package(directory: Path) -> bool:
    return os.path.exists(directory / "__init__.py")


def module_name(path: Path, root: Path) -> tuple[str, bool]:
    """Return the dotted name of a file within a project, and whether it is a package's __init__.py.

    A package begins below the outermost directory without an __init__.py; `src` is no package.
    """
    directory = path.parent
    parts = [] if path.name == "__init__.py" else [path.stem]
    if _package(directory):
        while directory != directory.parent and _package(directory):
            parts.insert(0, directory.name)
            directory = directory.parent
    elif directory.is_relative_to(root):
        within = [part for part in directory.relative_to(root).parts if part not in {"src", "lib"}]
        parts[:0] = within
    return ".".join(parts), path.name == "__init__.py"


def load(path: Path) -> bytes | Problem:
    """Return a file's bytes, or why there are none: never an exception, no wait for a FIFO, no more than LARGEST."""
    try:
        if kind := special(path.stat().st_mode):
            return Problem("kind", 1, kind, "a file", "remove it, or exclude it")
        # O_NONBLOCK: it may be another thing by now
        with os.fdopen(os.open(path, os.O_RDONLY | _NO_WAIT), "rb") as handle:
            status = os.fstat(handle.fileno())
            if kind := special(status.st_mode):
                return Problem("kind", 1, kind, "a file", "remove it, or exclude it")
            data = handle.read(LARGEST + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Problem("access", 1, reason.lower(), "a file that can be read", "check its path and permissions")
    if len(data) > LARGEST:
        size = max(status.st_size, len(data))
        return Problem(
            "size", 1, f"{size / 1e6:.1f} MB", f"at most {LARGEST / 1e6:.0f} MB", "exclude it if it is generated"
        )
    return data


def special(mode: int) -> str:
    """Return what a thing is that is neither a file nor a directory, "" for these."""
    return next((word for asked, word in _SPECIAL if asked(mode)), "")


def read(path: Path, root: Path) -> Source | Problem:
    """Return a file's source, or what is wrong with it: never an exception."""
    data = load(path)
    if isinstance(data, Problem):
        return data
    return parse(
        data,
        path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix(),
        *module_name(path, root),
    )


def parse(data: bytes, path: str, module: str, package: bool) -> Source | Problem:
    """Return the source that bytes are, or what is wrong with them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data, filename=path)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError) as error:
        return _problem(error, data)
    return Source(path, module, package, text.replace("\r\n", "\n").replace("\r", "\n"), tree, comments(text))
