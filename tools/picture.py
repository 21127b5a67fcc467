# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make docs/pictures/readiness.png from a real run: `.venv/bin/python -m tools.picture`.

On a stack with a few data, which is removed afterwards: up, check, backup, drill. The picture is what headless Chromium
(Debian's package `chromium`) shows of the report that they leave.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "module_utils"))

from tests.names import own  # noqa: E402
from tests.system.backups import SERVICES, with_backups  # noqa: E402

PICTURE = ROOT / "docs" / "pictures" / "readiness.png"
SIZE = "1100,900"


def shoot(page: Path, picture: Path) -> None:
    """Let Chromium write what a window of that size shows of a page."""
    with tempfile.TemporaryDirectory() as profile:
        command = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={profile}"]
        command += [f"--window-size={SIZE}", f"--screenshot={picture}", page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    if done.returncode:  # else it only complains about the desktop that is missing
        raise RuntimeError(f"chromium ended with {done.returncode}: {done.stderr[-2000:]}")


def main() -> int:
    """Run the verbs and take the picture; a verb that fails ends it, with what that printed."""
    if not shutil.which("chromium"):
        print("tools.picture: chromium is not installed. Next: apt-get install chromium", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as directory, with_backups(Path(directory), own("demo"), SERVICES) as ready:
        ready.stack.write()
        for verb in ("check", "backup", "drill"):
            print(f"./ready {verb}", flush=True)
            ready.run(verb)
        shoot(next(Path(directory, "evidence").rglob("readiness.html")), PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
