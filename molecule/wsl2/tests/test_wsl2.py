# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A fresh PC has the distro, running, and was rebooted once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def host() -> dict[str, Any]:
    """Return what the simulated host is now."""
    path = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "simulator" / "pc1.json"
    return dict(json.loads(path.read_text()))


def test_distro_runs() -> None:
    """And a task keeps it."""
    found = host()
    assert found["wsl"] == "2.6.1.0"
    assert set(found["features"].values()) == {"Enabled"}
    assert found["distros"] == [{"name": "Ubuntu-22.04", "running": True}]
    assert found["tasks"] == ["keep Ubuntu-22.04"]


def test_each_thing_was_done_once() -> None:
    """Also after the second run; and the run in check mode did none of it."""
    changes = host()["changes"]
    assert changes.count("win_file") == 2  # the folder was made, the image that was fetched removed
    once = [name for name in changes if name != "win_file"]
    assert len(once) == len(set(once)), changes
    assert {"win_reboot", "win_optional_feature", "--import Ubuntu-22.04"} <= set(changes)
