"""A fleet of Linux servers: one that does not fit and one that is off. Nothing is brought up."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.names import own
from tests.system.conftest import Ready, own_stack


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Ready]:
    """Two hosts in the inventory."""
    with own_stack(tmp_path, own("sys-fleet"), ["redis"]) as ready:
        ready.set(preflight_disk_free="900t")
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        off = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
        hosts = {"srv1": local, "srv2": off}
        (ready.inventory / "hosts.yml").write_text(yaml.safe_dump({"ready": {"hosts": hosts}}))
        yield ready


def test_run_ends_with_every_server(servers: Ready) -> None:
    """All failed, so no further play ran; each is named all the same, and `fleet` says it again."""
    result = servers.run("up", code=4)
    assert "Fleet of 2: fail; 1 unreachable, 1 failed" in result.text
    assert "srv2: Failed to connect to the host via ssh" in result.text
    assert "srv1: Disk" in result.text.partition("Fleet of 2")[2]
    document = json.loads((servers.directory / "evidence" / "fleet.json").read_text())
    assert [machine["name"] for machine in document["results"]["machines"]] == ["srv2", "srv1"]
    assert "Fleet of 2: fail; 1 unreachable, 1 failed" in servers.run("fleet", code=2).text
