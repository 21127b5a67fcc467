# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The copy of an application's directory that is tested, and its fingerprint. Runs on the controller."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

#: Directories that are no source: histories, environments, caches. One with a pyvenv.cfg is an environment, too.
LEFT_OUT = frozenset(
    [".git", ".hg", ".idea", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode"]
) | {"__pycache__", "node_modules", "venv"}
#: Settings of another place, and secrets: the tests get the stack's.
SETTINGS = ".env"
LARGEST, MOST = 200 * 2**20, 20_000


class SourceError(ValueError):
    """The directory can't be copied; the message says what was found and comes next."""


@dataclass
class Source:
    """An application's files.

    Attributes:
        files: path -> (mode, content), or (mode, target) of a symbolic link.
        left_out: paths that are not copied.
        size: bytes of all of them.
    """

    files: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    size: int = 0

    def link(self, path: str, target: str) -> None:
        """Take in a symbolic link; a relative one that leads out of the directory leads nowhere in a copy."""
        if not target.startswith("/") and Path(os.path.normpath(Path(path).parent / target)).parts[:1] == ("..",):
            self.left_out.append(path)
        else:
            self.links[path] = target

    def fingerprint(self) -> str:
        """Return a hash of paths, modes, contents and links."""
        digest = hashlib.sha256()
        for path, (mode, content) in sorted(self.files.items()):
            digest.update(f"{path}\0{mode:o}\0{hashlib.sha256(content).hexdigest()}\n".encode(errors="surrogateescape"))
        for path, target in sorted(self.links.items()):
            digest.update(f"{path}\0link\0{target}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def tar(self, prefix: str, user: int) -> bytes:
        """Return the files as a tar below a directory of that name, all of one user."""
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in ["", *self.folders]:
                member = tarfile.TarInfo(f"{prefix}/{path}".rstrip("/"))
                member.type, member.mode, member.uid, member.gid = tarfile.DIRTYPE, 0o755, user, user
                archive.addfile(member)
            for path, (mode, content) in self.files.items():
                member = tarfile.TarInfo(f"{prefix}/{path}")
                member.size, member.mode, member.uid, member.gid = len(content), mode | 0o600, user, user
                archive.addfile(member, io.BytesIO(content))
            for path, target in self.links.items():
                member = tarfile.TarInfo(f"{prefix}/{path}")
                member.type, member.linkname, member.uid, member.gid = tarfile.SYMTYPE, target, user, user
                archive.addfile(member)
        return stream.getvalue()


def read(root: Path, largest: int = LARGEST, most: int = MOST) -> Source:
    """Return the files of a directory. Symbolic links are kept as they are and never followed. Raises SourceError."""
    found, sizes = Source(), Counter[str]()

    def unreadable(error: OSError) -> None:
        raise SourceError(
            f"application.path: found {error.filename} ({error.strerror}), expected a file that {_user()} may read. "
            "Nothing was changed. Next: give it those rights, or take it out of the directory"
        ) from error

    for folder, folders, names in os.walk(root, onerror=unreadable):
        here = Path(folder)
        for name in sorted(folders):
            path = here / name
            relative = str(path.relative_to(root))
            if path.is_symlink():
                found.link(relative, os.readlink(path))
            elif name in LEFT_OUT or (path / "pyvenv.cfg").exists():
                found.left_out.append(relative)
            else:
                found.folders.append(relative)
        folders[:] = sorted(name for name in folders if str((here / name).relative_to(root)) in set(found.folders))
        for name in sorted(names):
            path = here / name
            relative = str(path.relative_to(root))
            try:
                state = path.lstat()
                if stat.S_ISLNK(state.st_mode):
                    found.link(relative, os.readlink(path))
                elif name == SETTINGS or not stat.S_ISREG(state.st_mode):
                    found.left_out.append(relative)
                else:
                    found.size += state.st_size
                    sizes[relative.partition("/")[0]] += state.st_size
                    if found.size > largest or len(found.files) == most:
                        _refuse(root, sizes, found, largest, most)  # nothing more of it is read
                    found.files[relative] = (stat.S_IMODE(state.st_mode), path.read_bytes())
            except OSError as error:
                unreadable(error)
    found.folders.sort()
    found.left_out.sort()
    return found


def _user() -> str:
    return f"the user {os.geteuid()}"


def _refuse(root: Path, sizes: Counter[str], found: Source, largest: int, most: int) -> NoReturn:
    biggest = ", ".join(f"{name} {size / 2**20:.0f} MiB" for name, size in sizes.most_common(3))
    raise SourceError(
        f"application.path: found more than {most} files or {largest / 2**20:.0f} MiB in {root} (so far {biggest}; "
        f"{len(found.left_out)} directories are left out), expected an application's source. Nothing was changed. "
        "Next: keep data and builds outside of it, or name the directory of the source alone"
    )
