"""A fleet of Linux servers: one that does not fit and one that is off. Nothing is brought up."""

from __future__ import annotations

import json
import re
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
    # Hosts with a schedule are asked what their timers did; one that is off keeps nobody from the summary.
    servers.set(backup_schedule="daily", backup_repository="/nowhere")
    asked = servers.run("fleet", code=2).text
    assert "Fleet of 2: fail; 1 unreachable, 1 failed" in asked
    assert "was not collected" not in asked


def test_each_stack_has_its_report(servers: Ready) -> None:
    """Over its own hosts, whichever host comes first; the page of the fleet links to both, and to no third."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    name = servers.stack.name
    hosts = {"srv1": local, "srv2": local | {"stack_name": f"{name}-b"}, "srv3": local | {"stack_name": f"{name}-b"}}
    hosts["srv4"] = local | {"stack_name": f"{name}-c"}
    inventory = servers.inventory / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"ready": {"hosts": hosts}}))
    servers.set(stack_name=None)
    hosts["srv1"] |= {"stack_name": name}
    inventory.write_text(yaml.safe_dump({"ready": {"hosts": hosts}}))
    servers.run("report", "--", "--limit", "srv1,srv3")
    evidence = servers.directory / "evidence"
    said = {path.parent.name: json.loads(path.read_text())["results"] for path in evidence.glob("*/readiness.json")}
    assert {stack: its["hosts"] for stack, its in said.items()} == {name: ["srv1"], f"{name}-b": ["srv2", "srv3"]}
    servers.run("fleet")
    page = (evidence / "fleet.html").read_text()
    assert {f"{name}/readiness.html", f"{name}-b/readiness.html"} == set(re.findall(r'href="([^"]*)"', page))
