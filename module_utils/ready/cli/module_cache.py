# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep packed modules from run to run. Runs on the controller.

Ansible packs each module with what it imports, a quarter of a second of CPU, and keeps that for one run, in a directory
of the run's temporary files. A link in its place lets all runs of a checkout share one, as long as nothing packed
differs. If another Ansible looks elsewhere, the link does nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

#: Ansible's name for it below its temporary directory.
NAME = "ansiballz_cache"
#: Seconds after which what no run has used is removed.
KEPT = 7 * 24 * 3600


def packed_sources(root: Path, collections: Iterable[str]) -> Iterator[Path]:
    """Yield the files of a checkout that are packed, and of each collection there the one that has its version."""
    for folder in ("library", "module_utils"):
        yield from (root / folder).rglob("*.py")
    for path in collections:
        yield from Path(path).expanduser().glob("ansible_collections/*/*/MANIFEST.json")
        yield from Path(path).expanduser().glob("ansible_collections/*/*/galaxy.yml")


def fingerprint(root: Path, collections: Iterable[str], versions: Iterable[str]) -> str:
    """Return what changes when a packed module may.

    Args:
        root: the checkout, whose modules and module_utils are packed.
        collections: directories that hold ansible_collections.
        versions: of Ansible and whatever else is packed.
    """
    digest = hashlib.sha256("\0".join([sys.version, str(root), *versions]).encode())
    for path in sorted(set(packed_sources(root, collections))):
        status = path.stat()
        digest.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\n".encode())
    return digest.hexdigest()[:16]


def share_packed_modules(temporary: Path, kept: Path, key: str) -> bool:
    """Link a run's directory of packed modules to the one of all runs with that key; return whether it could be done.

    Args:
        temporary: the run's temporary directory, which Ansible removes at its end; the link goes with it.
        kept: where the directories of all keys are. They are the user's alone: what is in them is run.
        key: what `fingerprint` returns.
    """
    shared, link = kept / key, temporary / NAME
    try:
        shared.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = shared.stat()
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            return False
        os.utime(shared)
        link.symlink_to(shared.resolve(), target_is_directory=True)
    except OSError:
        return False  # there already, read-only, or a file system without links: Ansible packs as ever
    _forget(kept, time.time() - KEPT)
    return True


def _forget(kept: Path, before: float) -> None:
    for path in kept.iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                shutil.rmtree(path, ignore_errors=True)
