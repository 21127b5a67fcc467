# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Safe fixes: shown as a diff, then written. A file that would not be Python afterwards stays as it is."""

from __future__ import annotations

import difflib
import os
import tempfile
import tokenize
from collections.abc import Iterable, Sequence
from pathlib import Path

from .engine import Result
from .model import Edit
from .shown import printable
from .source import Problem, parse


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits made, from its end to its beginning; of two that overlap the last one is made."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    before = len(text) + 1
    for edit in sorted(set(edits), key=lambda item: (item.line, item.column), reverse=True):
        start, end = starts[edit.line - 1] + edit.column, starts[edit.end_line - 1] + edit.end_column
        if end > before:
            continue
        text = text[:start] + edit.text + text[end:]
        before = start
    return text


def fixes(result: Result) -> dict[Path, tuple[str, str]]:
    """Return file -> (its text, its text with all safe fixes made), of those that change and stay Python."""
    found = {}
    for judged in result.judged:
        edits = [edit for finding in judged.findings for edit in finding.edits]
        if not edits:
            continue
        path = result.root / judged.path
        try:
            with tokenize.open(path) as handle:
                old = handle.read()
        except (OSError, SyntaxError, ValueError):  # it has changed since
            continue
        new = apply(old, edits)
        if new != old and not isinstance(parse(new.encode(), judged.path, "", False), Problem):
            found[path] = (old, new)
    return found


def diff(changes: dict[Path, tuple[str, str]], root: Path) -> str:
    """Return what fixes would change, as a unified diff."""
    lines: list[str] = []
    for path, (old, new) in sorted(changes.items()):
        name = printable(path.relative_to(root).as_posix())
        lines += difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"a/{name}", f"b/{name}")
    ends = ("" if line.endswith("\n") else "\\ No newline at end of file\n" for line in lines)
    return "".join(_shown(line) + end for line, end in zip(lines, ends, strict=True))


def _shown(line: str) -> str:
    """Return a line of a diff as it may be shown: tabs stay."""
    return "\t".join(printable(part) for part in line.removesuffix("\n").split("\t")) + "\n"


def write(changes: dict[Path, tuple[str, str]]) -> Sequence[Path]:
    """Write files with their fixes, each at once, with its mode, encoding and line ends kept. Return those written."""
    written = []
    for path, (old, new) in sorted(changes.items()):
        with tokenize.open(path) as handle:
            if handle.read() != old:  # somebody has changed it in the meantime
                continue
            encoding = handle.encoding
        _replace(Path(os.path.realpath(path)), new, encoding)  # what a link leads to, not the link
        written.append(path)
    return written


def _replace(path: Path, text: str, encoding: str) -> None:
    """Write a file at once; nothing is left beside it where that fails. Raises OSError."""
    ends = "\r\n" if b"\r\n" in path.read_bytes() else "\n"
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding=encoding, newline=ends, delete=False) as temporary:
        try:
            temporary.write(text)
            temporary.flush()
            os.chmod(temporary.name, path.stat().st_mode)
            if os.name == "nt":
                temporary.close()  # Windows replaces no open file
            os.replace(temporary.name, path)
        except BaseException:
            Path(temporary.name).unlink(missing_ok=True)
            raise
