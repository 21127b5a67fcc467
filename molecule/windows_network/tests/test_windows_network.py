# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the inventory asks for is open, and nothing beyond."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def host() -> dict[str, Any]:
    """Return what the simulated host is now."""
    path = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "simulator" / "pc1.json"
    return dict(json.loads(path.read_text()))


def test_what_is_open() -> None:
    """A rule for each, and a port proxy for what listens in the distro itself, with the task that renews it."""
    found = host()
    assert found["rules"] == ["Ready ready postgresql 5432", "Ready ready ssh 2222 proxy"]
    assert found["portproxy"] == {"0.0.0.0/2222": "172.28.96.5/2222"}
    assert found["tasks"] == {"forward ready": "PT0S", "keep Ubuntu-22.04": "PT0S"}
    assert "C:\\Program Files\\Ready\\portproxy_follow.ps1" in found["files"]


def test_it_was_opened_once() -> None:
    """Two rules, a proxy, its task and the task's start, also after the second run."""
    made = ["win_firewall_rule", "win_firewall_rule", "win_command", "win_scheduled_task", "keep_tasks"]
    assert host()["changes"] == made
