# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python3 -m ready_testapp JOB OUT`: the stores looked at, the tests run, the stores looked at again."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .counting import scan
from .watch import run

#: Seconds that a look at all stores may take.
LOOK = 90


def look(library: str, job: str, seconds: float = LOOK) -> dict[str, Any]:
    """Return what the stores hold: by another process, with the image's own drivers and not the application's."""
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "ready_testapp.stores", job],
            env={**os.environ, "PYTHONPATH": ":".join(paths)},
            cwd="/",
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"fault": f"no answer within {seconds:g} s"}
    except ValueError:
        return {"fault": done.stderr.decode(errors="replace").strip()[-300:] or "no answer"}
    return found


def _write(out: Path, result: Mapping[str, Any]) -> None:
    """Leave the result so that whoever reads it finds the old or the new one."""
    new = out / "result.new"
    new.write_text(json.dumps(result), encoding="utf-8")
    new.replace(out / "result.json")


def main() -> int:
    """Do all of it, and leave OUT/result.json after each step."""
    path, out = sys.argv[1], Path(sys.argv[2])
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    library = str(Path(__file__).resolve().parent.parent)
    began = time.monotonic()
    result: dict[str, Any] = {"python": platform.python_version(), **scan(Path(job["root"]))}
    result["before"] = look(library, path)
    _write(out, result)
    result |= run(job, library, out)
    _write(out, result)
    result["after"] = look(library, path)
    result["seconds"] = round(time.monotonic() - began, 1)
    _write(out, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
