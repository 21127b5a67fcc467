# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Preflight leaves evidence, and nothing else."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

STACK = "ready-test-preflight"
EXPECTED = {"os", "architecture", "python", "docker", "memory", "disk", "port_neo4j_bolt", "port_redis", "bind"} | {
    "ownership", "volumes", "clock", "proxy", "ca", "images", "secrets"
}  # fmt: skip


def evidence() -> dict[str, Any]:
    """Return what the last run left."""
    path = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "evidence" / STACK / "localhost" / "preflight.json"
    return dict(json.loads(path.read_text()))


def test_every_check_is_in_the_evidence() -> None:
    """And on a machine that runs these tests none of them fails."""
    found = evidence()
    checks = {check["id"]: check for check in found["results"]["checks"]}
    assert checks.keys() >= EXPECTED
    assert [check for check in checks.values() if check["verdict"] == "fail"] == []
    assert found["verdict"] in {"pass", "insufficient_data"}


def test_it_is_todays() -> None:
    """A file of an earlier run proves nothing."""
    started = datetime.strptime(evidence()["started_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert -5 < time.time() - started.timestamp() < 600


def test_nothing_was_made(host: Any) -> None:
    """Preflight only looks."""
    for kind in ("container", "volume", "network"):
        done = host.run(f"docker {kind} ls -q --filter label=io.ready.stack={STACK}")
        assert done.succeeded, done.stderr
        assert done.stdout == ""
