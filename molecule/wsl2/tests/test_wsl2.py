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
    """Where it was asked for, with systemd and its user, and a task without an end keeps it."""
    found = host()
    assert found["wsl"] == "2.6.1.0"
    assert set(found["features"].values()) == {"Enabled"}
    (distro,) = found["distros"]
    assert (distro["name"], distro["running"]) == ("Ubuntu-22.04", True)
    assert distro["location"] == "C:\\Ready\\wsl\\Ubuntu-22.04"
    assert distro["conf"] == "[boot]\nsystemd=true\n\n[user]\ndefault=ready\n"
    assert found["tasks"] == {"keep Ubuntu-22.04": "PT0S"}  # Windows ends others after three days


def test_nothing_else_is_there() -> None:
    """Neither the image that was fetched, nor a way into the distro that nobody asked for."""
    found = host()
    assert f"{found['distros'][0]['location']}.tar.gz" not in found["files"]
    assert (found["rules"], found["portproxy"], found["docker"]) == ([], {}, None)


def test_each_thing_was_done_once() -> None:
    """Also after the second run."""
    changes = host()["changes"]
    assert changes.count("win_file") == 2  # the folder was made, the image that was fetched removed
    once = [name for name in changes if name != "win_file"]
    assert len(once) == len(set(once)), changes
    assert {"win_reboot", "win_optional_feature", "--import Ubuntu-22.04"} <= set(changes)
