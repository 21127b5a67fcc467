"""A PC that is off: its own word, and an exit code of its own."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import yaml
from ready.common.clock import timestamp
from ready.evidence import document as evidence
from ready.evidence import fleet

from tests.windows.pcs import BIN, ROOT, Run

#: What psrp says of a PC that is off, as pypsrp words it.
OFF = "Failed to connect to the host via PSRP: ConnectTimeoutError('Connection to pc1 timed out. (connect timeout=30)')"


def leave(directory: Path, host: str, outcome: str, message: str = "") -> None:
    """Leave evidence of how the last run ended on a host."""
    results = fleet.run_results("windows", outcome, 0, "Gather host facts" if message else "", message)
    stamp = timestamp(datetime.now(timezone.utc))
    document = evidence.make("run", "ready", host, "pass" if outcome == "ok" else "fail", results, stamp, "simulated")
    evidence.write(directory / "evidence", document)


def say(directory: Path) -> Run:
    """Run the verb; it asks none of the PCs."""
    inventory = directory / "hosts.yml"
    windows: dict[str, object] = {"hosts": {"pc1": {}, "pc2": {}}}
    groups = {"windows": windows, "wsl": {}, "ready": {"children": {"windows": {}, "wsl": {}}}}
    variables = {"ready_evidence_dir": str(directory / "evidence")}
    inventory.write_text(yaml.safe_dump({"all": {"vars": variables, "children": groups}}))
    done = subprocess.run(
        [BIN / "ansible-playbook", "-i", inventory, ROOT / "playbooks" / "fleet.yml"],
        cwd=ROOT,
        env=os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "COLUMNS": "400", "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr)


def test_fleet_with_a_pc_that_is_off_ends_with_4(tmp_path: Path) -> None:
    """And with 2 as soon as another one failed: that is worse."""
    leave(tmp_path, "pc1", "unreachable", OFF)
    leave(tmp_path, "pc2", "ok")
    away = say(tmp_path)
    assert away.code == 4, away.why()
    assert "Fleet of 2: insufficient_data; 1 away, 1 not up" in away.text
    assert "found no answer from pc1, expected one" in away.text
    leave(tmp_path, "pc2", "failed", "pc2: found a, expected b. Next: c")
    worse = say(tmp_path)
    assert worse.code == 2, worse.why()
    assert "Fleet of 2: fail; 1 failed, 1 away" in worse.text
