# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The packages that an application needs: its requirements as one text that names packages and nothing else.

Where packages come from is the host's own setting. Runs on the controller: needs `packaging`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

#: Files that may be read, one including another.
_MOST = 50


class WantedError(ValueError):
    """A requirement that can't be installed here; the message says what was found and expected."""


@dataclass(frozen=True)
class Wanted:
    """Lines for pip: packages, and constraints for them."""

    packages: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()


def read(root: Path, given: Iterable[str]) -> Wanted:
    """Return what `requirements` say: files below the application's directory, or requirements. Raises WantedError."""
    reader = _Reader(root)
    for item in given:
        inner = Path(root, item)
        if re.fullmatch(r"[\w./-]+\.(txt|in|pip)", item) or inner.is_file():
            reader.file(inner, "requirements", constraint=False)
        else:
            reader.line(item, "requirements", root, constraint=False)
    return Wanted(tuple(dict.fromkeys(reader.packages)), tuple(dict.fromkeys(reader.constraints)))


class _Reader:
    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.packages: list[str] = []
        self.constraints: list[str] = []
        self.read: set[tuple[Path, bool]] = set()

    def file(self, path: Path, where: str, *, constraint: bool) -> None:
        """Take in a file of requirements."""
        inner = path.resolve()
        if not inner.is_relative_to(self.root):
            raise WantedError(f"{where}: found the file {path}, expected one below {self.root}.")
        if (inner, constraint) in self.read:
            return
        self.read.add((inner, constraint))
        if len(self.read) > _MOST:
            raise WantedError(f"{where}: found more than {_MOST} files that include each other, expected fewer.")
        try:
            text = inner.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "no text"
            raise WantedError(f"{where}: found {why} ({inner}), expected a file of requirements.") from error
        joined = re.sub(r"\\\r?\n", " ", text)
        for number, line in enumerate(joined.splitlines(), 1):
            its = re.sub(r"(^|\s)#.*$", "", line).strip()
            if its:
                self.line(its, f"{inner.relative_to(self.root)}, line {number}", inner.parent, constraint=constraint)

    def line(self, text: str, where: str, folder: Path, *, constraint: bool) -> None:
        """Take in a requirement, or a file that one includes."""
        from packaging.requirements import InvalidRequirement, Requirement

        if match := re.fullmatch(r"(-r|--requirement|-c|--constraint)[ =]*(\S+)", text):
            self.file(folder / match[2], where, constraint=constraint or match[1] in ("-c", "--constraint"))
            return
        if text.startswith("-"):
            option = re.split(r"[ =]", text)[0]
            expected = (
                "packages: the application itself is on Python's path, and need not be installed"
                if option in ("-e", "--editable")
                else "packages: indexes and how they are reached are settings of the host's pip"
            )
            raise WantedError(f"{where}: found the option {option}, expected {expected}.")
        plain = re.sub(r"(\s+--hash=\S+)+$", "", text)
        try:
            requirement = Requirement(plain)
        except InvalidRequirement:
            shown = re.sub(r"//[^/@\s]*@", "//***@", plain)[:80]
            raise WantedError(
                f"{where}: found {shown!r}, expected a package and its versions: the application itself is on "
                "Python's path."
            ) from None
        if requirement.url:
            raise WantedError(
                f"{where}: found {requirement.name} from an address, expected a package of the host's index."
            )
        (self.constraints if constraint else self.packages).append(text)
