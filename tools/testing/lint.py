# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-lint, whose syntax checks, one for each playbook and role, are forks of one Ansible (warm.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.testing.warm import ROOT, ansible


def lint(*words: str) -> subprocess.CompletedProcess[str]:
    """Run ansible-lint on what the arguments name, or on everything; return how it ended, and what it printed."""
    bin_ = Path(sys.executable).parent
    with ansible() as place:
        path = os.pathsep.join([str(place), str(bin_), os.environ["PATH"]])
        return subprocess.run(  # noqa: S603
            [bin_ / "ansible-lint", "-q", *words],
            cwd=ROOT, env=os.environ | {"PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False,
        )  # fmt: skip


if __name__ == "__main__":
    done = lint(*sys.argv[1:])
    print(done.stdout, end="")
    sys.exit(done.returncode)
