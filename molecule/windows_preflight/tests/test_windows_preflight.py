# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The look left evidence that says it was simulated, and changed nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


def test_evidence() -> None:
    """Every check passes on a fresh PC, and none of it counts."""
    evidence = json.loads((EPHEMERAL / "evidence" / "ready" / "pc1" / "preflight.json").read_text())
    assert (evidence["provenance"], evidence["verdict"]) == ("simulated", "pass")
    checks = {check["id"] for check in evidence["results"]["checks"]}
    assert checks >= {"state", "account", "windows", "architecture", "virtualization", "disk", "clock"}


def test_nothing_was_changed() -> None:
    """Nothing but the one script was asked for."""
    host = json.loads((EPHEMERAL / "simulator" / "pc1.json").read_text())
    assert {action["name"] for action in host["asked"]} == {"windows_state"}
    assert host["changes"] == []
