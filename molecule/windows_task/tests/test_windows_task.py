# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The task is made once, without an end of its running time, and what held the distro holds it again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def host() -> dict[str, Any]:
    """Return what the simulated host is now."""
    path = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "simulator" / "pc1.json"
    return dict(json.loads(path.read_text()))


def test_task_runs_beside_the_one_that_was_there() -> None:
    """The distro's own task was stopped for the script and runs again."""
    found = host()
    assert found["tasks"] == {"forward molecule": "PT0S", "keep Ubuntu-22.04": "PT0S"}
    assert "C:\\Program Files\\Ready\\portproxy_follow.ps1" in found["files"]


def test_it_was_made_once() -> None:
    """Stop the other task, make this one, start both; the second run changes nothing."""
    assert host()["changes"] == ["keep_tasks", "win_scheduled_task", "keep_tasks"]
