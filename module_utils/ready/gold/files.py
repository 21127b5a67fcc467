# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which files of a project are judged: all of its Python, none of what others wrote."""

from __future__ import annotations

import errno
import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from .source import Problem, special

#: Directories that hold nobody's own code: caches and what was installed.
FOREIGN = frozenset({"__pycache__", "node_modules", "site-packages"})
#: Directories of environments and of what was built, unless they are part of a package: shop/env/.
_MADE = frozenset({"build", "dist", "venv", "env"})


@dataclass(slots=True)
class Found:
    """Files to judge, and places that can't be looked into, by path relative to the project."""

    files: list[Path] = field(default_factory=list)
    problems: dict[str, Problem] = field(default_factory=dict)


class PathError(ValueError):
    """A path that can't be judged at all; its text is a whole message."""


def find(paths: Sequence[Path], root: Path, exclude: Sequence[str] = ()) -> Found:
    """Return the Python files below some paths. Raises PathError.

    Args:
        paths: files and directories; a file that is named is judged whatever its name, if no pattern leaves it out.
        root: the project; paths of findings are relative to it.
        exclude: patterns as of a shell, of paths relative to the project: vendor/*, *_pb2.py.
    """
    found = Found()
    seen: set[tuple[int, int]] = set()
    inside = tuple(os.path.realpath(place) for place in (root, *paths))
    for path in paths:
        if _named(path):  # pre-commit names every file
            files = iter([] if _excluded(path, root, exclude) else [path])
        else:
            files = _walk(path, root, exclude, found, inside)
        for file in sorted(files, key=os.path.islink):  # a file counts by its own name, not by that of a link
            try:
                status = file.stat()
            except OSError as error:
                if os.path.islink(file):
                    loop = error.errno == errno.ELOOP
                    found.problems[relative(file, root)] = _link("that leads to itself" if loop else "to nothing")
                continue  # or it is gone since it was listed
            key = (status.st_dev, status.st_ino)
            if key not in seen:
                seen.add(key)
                found.files.append(file)
    return found


def _named(path: Path) -> bool:
    """Tell whether a path that is named is a file. Raises PathError where it is no directory either."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        found = "a link to nothing" if os.path.islink(path) else "nothing"
    except (OSError, ValueError) as error:
        found = (getattr(error, "strerror", None) or str(error)).lower()
    else:
        if not (found := special(mode)):
            return stat.S_ISREG(mode)
    raise PathError(f"{path}: found {found}; expected a file or a directory. Next: name one that there is")


def _link(where: str) -> Problem:
    return Problem("link", 1, f"a link {where}", "a file of the project", "put the file there, or exclude the link")


def relative(path: Path, root: Path) -> str:
    """Return a path as findings name it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _walk(top: Path, root: Path, exclude: Sequence[str], found: Found, inside: tuple[str, ...]) -> Iterator[Path]:
    """Yield the Python files below a directory. Links to directories are not followed, so that no loop is."""

    def away(error: OSError) -> None:
        reason = (error.strerror or type(error).__name__).lower()
        place = relative(Path(os.fsdecode(error.filename)), root)
        found.problems[place] = Problem("access", 1, reason, "a directory that can be read", "check its permissions")

    for directory, names, files in os.walk(top, onerror=away):
        here = Path(directory)
        names[:] = sorted(name for name in names if not _foreign(here / name, name, root, exclude))
        for name in names:
            if os.path.islink(here / name) and _leaves(here / name, inside) and _has_code(here / name):
                found.problems[relative(here / name, root)] = _link("to a directory outside of the project")
        for name in sorted(files):
            # .#a.py: the lock of an editor
            if not name.endswith(".py") or name.startswith(".#") or _excluded(here / name, root, exclude):
                continue
            if os.path.islink(here / name) and _leaves(here / name, inside) and os.path.exists(here / name):
                found.problems[relative(here / name, root)] = _link("to a file outside of the project")
            else:
                yield here / name


def _leaves(link: Path, inside: tuple[str, ...]) -> bool:
    """Tell whether a link leads out of the project, and out of all that is judged."""
    target = os.path.realpath(link)
    return not any(target == place or target.startswith(os.path.join(place, "")) for place in inside)


def _has_code(directory: Path) -> bool:
    """Tell whether a directory has Python files itself: links to data are nobody's concern."""
    try:
        with os.scandir(directory) as items:
            return any(item.name.endswith(".py") for item in items)
    except OSError:
        return False


def _excluded(path: Path, root: Path, exclude: Sequence[str]) -> bool:
    """Tell whether a pattern leaves a path out, or a directory that it is in."""
    if not exclude:
        return False
    named = PurePosixPath(relative(path, root))
    places = [str(named), *map(str, named.parents[:-1])]
    return any(fnmatch.fnmatch(place, pattern.rstrip("/")) for pattern in exclude for place in places)


def _foreign(path: Path, name: str, root: Path, exclude: Sequence[str]) -> bool:
    # os.path: False, too, of what nobody may look into
    made = name in _MADE and not any(os.path.exists(place / "__init__.py") for place in (path, path.parent))
    hidden = name.startswith(".") or name in FOREIGN or name.endswith(".egg-info") or made
    return hidden or _excluded(path, root, exclude) or os.path.exists(path / "pyvenv.cfg")
