"""A directory of the host as it looks to one test alone: whatever runs beside it sees the real one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private(directory: Path, copy: Path) -> Iterator[None]:
    """Show this thread, and every process that it starts, a copy of a directory at the directory's own place.

    By a mount namespace: what is written there meanwhile goes into the copy. A killed test leaves nothing behind. No
    thread that begins meanwhile may be there at the end: it would keep this one from going back.
    """
    here = Path.cwd()
    shutil.copytree(directory, copy)
    with Path("/proc/thread-self/ns/mnt").open() as before:
        os.unshare(os.CLONE_NEWNS)
        try:
            subprocess.run(["mount", "--make-rprivate", "/"], check=True)
            subprocess.run(["mount", "--bind", copy, directory], check=True)
            yield
        finally:
            os.setns(before.fileno(), os.CLONE_NEWNS)
            os.chdir(here)  # joining a namespace leads to its root
