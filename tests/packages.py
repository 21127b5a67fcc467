# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Packages of the distribution that tests use, installed where missing, with none of their services started."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Program -> the package that has it.
PACKAGES = {
    "restic": "restic",
    "docker-registry": "docker-registry",
    "sshd": "openssh-server",
    "debootstrap": "debootstrap",
}
POLICY = Path("/usr/sbin/policy-rc.d")
#: What it says while packages are installed; a run that was killed meanwhile leaves it.
START_NOTHING = "#!/bin/sh\n# of Ready's tests\nexit 101\n"
#: Held by the one checkout on this machine that installs.
INSTALLING = Path("/run/lock/ready-test-packages")
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@contextmanager
def nothing_starts() -> Iterator[None]:
    """Keep packages from starting their services, unless the host has a policy of its owner's."""
    with INSTALLING.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ours = not POLICY.exists() or POLICY.read_text() == START_NOTHING
        if ours:
            POLICY.write_text(START_NOTHING)
            POLICY.chmod(0o755)
        try:
            yield
        finally:
            if ours:
                POLICY.unlink()


def install(*programs: str) -> None:
    """Install the packages of those programs that are missing. Needs root. Raises AssertionError with apt's words."""
    with nothing_starts():
        missing = [PACKAGES[program] for program in programs if not shutil.which(program, path=_PATH)]
        apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
        for words in (["update"], ["install", "--no-install-recommends", *missing]) if missing else ():
            done = subprocess.run(
                [*apt, *words],
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{words}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
