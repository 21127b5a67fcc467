# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The gold standards of some files or directories, without Ansible: for editors, pre-commit and CI."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from ..common.files import reason_of
from . import fix
from .cache import default_path
from .engine import Result, analyse
from .files import PathError
from .outputs import FORMATS
from .rules import BY_ID
from .score import rows, score, unread_files
from .shown import printable
from .standing import TARGET

#: Exit codes: violations or files that can't be judged; as sysexits.h has it, a wrong call, and what can't be read
#: or written; as shells have it, Ctrl-C.
_VIOLATED, _WRONG_CALL, _IO, _STOPPED = 2, 64, 74, 130


class _Parser(argparse.ArgumentParser):
    """A parser whose exit code for a wrong call is not that of violations."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end."""
        self.print_usage(sys.stderr)
        self.exit(_WRONG_CALL, f"{self.prog}: {message}. Next: {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="gold-standards", description=__doc__, allow_abbrev=False)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files and directories")
    parser.add_argument("--root", type=Path, help="the project; without it the first directory that is named")
    parser.add_argument("--rules", default="", metavar="ID[,ID]", help="only these rules")
    parser.add_argument("--exclude", action="append", default=[], metavar="PATTERN", help="leave these paths out")
    parser.add_argument("--format", choices=FORMATS, default="text", help="form of the output")
    parser.add_argument(
        "--threshold", type=float, default=None, metavar="SCORE", help="exit with 2 below it; 95 without it"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 2 on any violation")
    parser.add_argument("--diff", action="store_true", help="show what --fix would change, and change nothing")
    parser.add_argument("--fix", action="store_true", help="make the safe fixes, after showing them")
    parser.add_argument("--jobs", type=int, default=0, help="processes; one per core without it")
    parser.add_argument("--no-cache", action="store_true", help="neither read nor write the cache")
    return parser


def _refuse(message: str, code: int = _WRONG_CALL) -> int:
    with contextlib.suppress(OSError):
        print(f"gold-standards: {printable(message)}", file=sys.stderr)
    return code


def failed(result: Result, threshold: float, strict: bool) -> bool:
    """Tell whether a result is below what was asked for; a project without Kailash fails by its violations alone.

    What can't be judged fails whatever the threshold: nobody knows what is in it.
    """
    parts = rows(result)
    if unread_files(result):
        return True
    if strict and any(item.findings for item in result.judged):
        return True
    return score(parts, len(unread_files(result))) < threshold


def main(words: Sequence[str] | None = None) -> int:
    """Run it; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console in cp1252, a log in ASCII
    try:
        code = _run(_parser().parse_args(words))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _refuse("found Ctrl-C; expected the end of the run. Next: run it again", _STOPPED)
    except OSError as error:
        _detach(sys.stdout)
        where = f"{error.filename}: " if isinstance(error.filename, str) else "output: "
        return _refuse(
            f"{where}found {reason_of(error)}; expected a place that can be read and written. Next: see to it", _IO
        )
    return code


def _detach(stream: TextIO) -> None:
    """Let what is still to be written go nowhere: Python writes it at its end, and complains again."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(arguments: argparse.Namespace) -> int:
    rules = [name.strip().upper() for name in arguments.rules.split(",") if name.strip()]
    if unknown := [name for name in rules if name not in BY_ID]:
        return _refuse(f"--rules: found {', '.join(unknown)}; expected some of {', '.join(BY_ID)}")
    threshold = TARGET if arguments.threshold is None else arguments.threshold
    if not 0 <= threshold <= 100:
        return _refuse(f"--threshold: found {threshold:g}; expected a score from 0 to 100")
    if arguments.jobs < 0:
        return _refuse(f"--jobs: found {arguments.jobs}; expected a number of processes, or 0 for one per core")
    kept = None if arguments.no_cache else default_path()
    options = {"rules": rules, "exclude": arguments.exclude, "jobs": arguments.jobs, "kept": kept}
    try:
        result = analyse(arguments.paths, arguments.root, **options)
    except PathError as error:
        return _refuse(str(error))
    if arguments.diff or arguments.fix:
        changes = fix.fixes(result)
        sys.stdout.write(fix.diff(changes, result.root))
        if arguments.diff:
            for path in unread_files(result):
                _refuse(f"{path}: found no Python that can be judged; expected it. Next: run without --diff")
            return _VIOLATED if unread_files(result) else 0
        fix.write(changes)
        result = analyse(arguments.paths, arguments.root, **options)
    print(FORMATS[arguments.format](result, threshold))
    return _VIOLATED if failed(result, threshold, arguments.strict) else 0


if __name__ == "__main__":
    sys.exit(main())
