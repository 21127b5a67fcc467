# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Docker Desktop is there, up, and serves the distro."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def host() -> dict[str, Any]:
    """Return what the simulated host is now."""
    path = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "simulator" / "pc1.json"
    return dict(json.loads(path.read_text()))


def test_it_runs() -> None:
    """The version that was asked for, started once."""
    found = host()
    assert found["docker"] == {"version": "4.56.0", "running": True}
    made = ["win_package", "win_group_membership", "win_file", "docker_desktop_start"]
    waited = ["-d Ubuntu-22.04"]  # for its socket in the distro: the record takes every command there for a change
    assert found["changes"] == made + waited


def test_its_settings_are_there() -> None:
    """Without a byte order mark. The role itself has seen from inside the distro that the engine answers."""
    found = host()
    assert found["settings"].startswith("{")
    assert json.loads(found["settings"])["IntegratedWslDistros"] == ["Ubuntu-22.04"]
    assert found["docker_users"] == ["PC1\\ready"]
