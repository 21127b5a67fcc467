"""The summary of a fleet: which machines there are, how each stands, and what is said about fifty of them."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ready.cli import table
from ready.common.clock import timestamp
from ready.common.paths import ROOT
from ready.evidence import document as evidence
from ready.evidence import fleet, report, requirements
from ready.evidence.machines import hosts_of_stack, inventory_machines

from tests.unit.tools.warmed import program

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=timezone.utc)
STAMP = timestamp(NOW)
REQUIRED = requirements.load()
SERVICE = {
    "seconds": 1.0,
    "image": "redis:7",
    "image_id": "sha256:1",
    "source": "build",
    "engine_version": "7.0.15",
    "detail": "",
}


def leave(root: Path, name: str, host: str, results: dict[str, Any], verdict: str = "pass", **other: str) -> None:
    """Leave evidence."""
    document = evidence.make(name, "ready", host, verdict, results, STAMP, finished_at=STAMP, **other)
    evidence.write(root, document)


def ran(root: Path, host: str, outcome: str = "ok", message: str = "", **other: str) -> None:
    """Leave evidence of a run."""
    results = fleet.run_results("site", outcome, 3, "Gather host facts" if message else "", message)
    leave(root, "run", host, results, "pass" if outcome == "ok" else "fail", **other)


def up(root: Path, host: str, state: str = "healthy") -> None:
    """Leave evidence of health of one service."""
    services = {"redis": {**SERVICE, "state": state}}
    leave(root, "health", host, {"services": services}, "pass" if state == "healthy" else "fail")


def inventory(root: Path, linux: int = 0, windows: int = 0) -> dict[str, dict[str, Any]]:
    """Return hostvars of Linux hosts, and of Windows hosts with their distros."""
    found: dict[str, dict[str, Any]] = {f"srv{at}": {"group_names": ["servers"]} for at in range(1, linux + 1)}
    for at in range(1, windows + 1):
        found[f"pc{at}"] = {"group_names": ["windows"]}
        found[f"pc{at}-wsl"] = {"group_names": ["wsl"], "ansible_wsl_windows_host": f"pc{at}"}
    return {host: {**own, "ready_evidence_dir": str(root)} for host, own in found.items()}


def look(root: Path, hostvars: dict[str, dict[str, Any]]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Write the summary; return it, and its machines by name."""
    summary = fleet.write(inventory_machines(hostvars, list(hostvars)), REQUIRED, NOW)
    document = evidence.read(Path(summary["path"])).evidence
    assert (document["verdict"], Path(summary["path"])) == (summary["verdict"], root / "fleet.json")
    return summary, {row["name"]: row for row in document["results"]["machines"]}


def test_application_is_known_by_its_path(tmp_path: Path) -> None:
    """As evidence names it: that of another one shows nothing."""
    (tmp_path / "link").symlink_to(tmp_path / "shop")
    for given, path in (("~/shop", Path.home().resolve() / "shop"), (f"{tmp_path}/link", tmp_path.resolve() / "shop")):
        hostvars = {host: {**own, "application": {"path": given}} for host, own in inventory(tmp_path, linux=1).items()}
        assert [item.application for item in inventory_machines(hostvars, list(hostvars))] == [str(path)]
    assert [item.application for item in inventory_machines(inventory(tmp_path, linux=1), ["srv1"])] == [""]


def test_host_and_distro_are_one_machine(tmp_path: Path) -> None:
    """Linux hosts are one each, and so is a Windows host whose distro is not in the inventory."""
    hostvars = inventory(tmp_path, linux=1, windows=1) | {"pc9": {"group_names": ["windows"], "stack_name": "other"}}
    found = {item.name: item for item in inventory_machines(hostvars, list(hostvars))}
    assert {name: item.hosts for name, item in found.items()} == {
        "srv1": ["srv1"],
        "pc1": ["pc1", "pc1-wsl"],
        "pc9": ["pc9"],
    }
    assert (found["pc1"].linux, found["pc9"].linux, found["srv1"].windows) == ("pc1-wsl", None, None)
    assert (found["srv1"].stack, found["pc9"].stack) == ("ready", "other")
    assert found["pc9"].directory == ROOT / "evidence"


def test_stack_that_was_resolved_is_taken_as_it_is(tmp_path: Path) -> None:
    """Over what the inventory says: that may be a template."""
    own = {"ready_stack": {"name": "mine", "evidence_dir": str(tmp_path)}, "stack_name": "another"}
    machine = inventory_machines({"srv1": own}, ["srv1"])[0]
    assert (machine.stack, machine.directory) == ("mine", tmp_path)


def test_each_stack_has_its_own_hosts(tmp_path: Path) -> None:
    """Its report is over them alone, also where one was not resolved in this run, as --limit leaves it."""
    hostvars = inventory(tmp_path, linux=4)
    hostvars["srv2"]["stack_name"] = hostvars["srv3"]["stack_name"] = "other"
    hostvars["srv3"] |= {"ready_stack": {"name": "other", "evidence_dir": str(tmp_path)}}
    hostvars["srv4"]["ready_evidence_dir"] = str(tmp_path / "elsewhere")
    found = {
        host: list(hosts_of_stack(hostvars, hostvars, {"name": name, "evidence_dir": str(directory)}, host))
        for host, name, directory in (
            ("srv1", "ready", tmp_path), ("srv3", "other", tmp_path), ("srv4", "ready", tmp_path / "elsewhere"),
        )
    }  # fmt: skip
    assert found == {"srv1": ["srv1"], "srv3": ["srv2", "srv3"], "srv4": ["srv4"]}


def test_the_page_links_to_what_exists(tmp_path: Path) -> None:
    """A stack without a report has no link; one whose evidence lies elsewhere is found there."""
    hostvars = inventory(tmp_path, linux=3)
    hostvars["srv2"]["stack_name"] = "other"
    hostvars["srv3"]["ready_evidence_dir"] = str(tmp_path / "else where")
    for place in (tmp_path / "ready", tmp_path / "else where" / "ready"):
        place.mkdir(parents=True)
        (place / "readiness.html").touch()
    summary, _ = look(tmp_path, hostvars)
    page = Path(summary["page"]).read_text()
    links = re.findall(r'href="([^"]*)"', page)
    assert sorted(links) == ["else%20where/ready/readiness.html", "ready/readiness.html"]


def test_states(tmp_path: Path) -> None:
    """Each by its evidence, the worst first; what failed keeps its own next step."""
    hostvars = inventory(tmp_path, linux=3, windows=3)
    up(tmp_path, "srv1")
    ran(tmp_path, "srv1")
    up(tmp_path, "srv2", "unhealthy")
    up(tmp_path, "pc1-wsl")  # of last week: nobody can say so now
    ran(tmp_path, "pc1", "unreachable", "Task failed: Failed to connect to the host via PSRP: timed out")
    ran(tmp_path, "pc2", "failed", "pc2: Virtualization: found off, expected on. Next: the firmware")
    ran(tmp_path, "pc3")
    summary, rows = look(tmp_path, hostvars)
    assert {name: row["state"] for name, row in rows.items()} == {
        "pc1": "unreachable",
        "pc2": "failed",
        "srv2": "unhealthy",
        "srv3": "never seen",
        "pc3": "not up",
        "srv1": "healthy",
    }
    assert [row["name"] for row in summary["rows"]] == list(rows)
    assert {name for name, row in rows.items() if row["verdict"] == "fail"} == {"pc1", "pc2", "srv2"}
    assert rows["srv1"]["verdict"] == "insufficient_data"
    assert rows["pc1"]["faults"][0]["what"] == "Failed to connect to the host via PSRP: timed out"
    assert "./ready windows ping" in rows["pc1"]["faults"][0]["next"]
    assert "5986 (HTTPS) or 5985 (HTTP)" in rows["pc1"]["faults"][0]["next"]
    assert rows["pc2"]["faults"] == [
        {"host": "pc2", "what": "Virtualization: found off, expected on", "next": "the firmware"}
    ]
    assert "R2.services" in " ".join(fault["what"] for fault in rows["srv2"]["faults"])
    assert (rows["srv1"]["services"], rows["srv1"]["run"]["changed"]) == ({"healthy": 1, "all": 1}, 3)
    assert summary["title"].startswith("Fleet of 6: fail; 1 unreachable, 1 failed, 1 unhealthy")


OFF = [
    "Failed to connect to the host via PSRP: HTTPSConnectionPool(host='pc1', port=5986): Max retries exceeded with url:"
    " /wsman (Caused by ConnectTimeoutError('Connection to pc1 timed out. (connect timeout=30)'))",
    "pc1: Windows does not answer PSRP (Failed to establish a new connection: [Errno 113] No route to host)",
    "Failed to connect to the host via ssh: ssh: connect to host pc1 port 22: Connection timed out",
]
ON = [
    "Failed to connect to the host via PSRP: Failed to establish a new connection: [Errno 111] Connection refused",
    "Failed to authenticate the user ready with ntlm",
    "Caused by SSLError(SSLCertVerificationError(1, 'certificate verify failed'))",
    "the connection to Windows was lost while a command ran (Read timed out. (read timeout=30))",
]


@pytest.mark.parametrize("message", OFF)
def test_machine_that_is_off_is_away_and_no_failure(tmp_path: Path, message: str) -> None:
    """It is said with its next step, and counts as nothing known; what failed elsewhere still fails the whole."""
    hostvars = inventory(tmp_path, windows=2)
    ran(tmp_path, "pc1", "unreachable", message)
    ran(tmp_path, "pc2")
    summary, rows = look(tmp_path, hostvars)
    assert (rows["pc1"]["state"], rows["pc1"]["verdict"]) == ("away", "insufficient_data")
    assert (summary["verdict"], summary["away"]) == ("insufficient_data", ["pc1"])
    assert "1 away, 1 not up" in summary["title"]
    assert any("pc1: does not answer" in line and "--failed" in line for line in summary["lines"])
    ran(tmp_path, "pc2", "failed", "pc2: found a, expected b. Next: c")
    assert look(tmp_path, hostvars)[0]["verdict"] == "fail"


@pytest.mark.parametrize("message", ON)
def test_machine_that_answers_is_not_away(tmp_path: Path, message: str) -> None:
    """It refuses the connection, the logon or the certificate, or was lost on the way."""
    hostvars = inventory(tmp_path, windows=1)
    ran(tmp_path, "pc1", "unreachable", message)
    summary, rows = look(tmp_path, hostvars)
    assert (rows["pc1"]["state"], summary["verdict"], summary["away"]) == ("unreachable", "fail", [])


def test_a_service_whose_sidecar_is_ill_is_not_healthy(tmp_path: Path) -> None:
    """Its own container may answer: clients don't meet that one, or its data are not kept."""
    hostvars = inventory(tmp_path, linux=2)
    services = {name: {**SERVICE, "state": "healthy"} for name in ("ai", "redis")}
    for host, state in (("srv1", "unhealthy"), ("srv2", "starting")):
        sidecars = {"ai_gateway": {"of": "ai", "state": state, "container_id": "1", "started_at": None}}
        leave(tmp_path, "health", host, {"services": services, "sidecars": sidecars})
    rows = look(tmp_path, hostvars)[1]
    assert (rows["srv1"]["services"], rows["srv1"]["state"]) == ({"healthy": 1, "all": 2}, "unhealthy")
    assert rows["srv2"]["services"] == {"healthy": 2, "all": 2}


def test_distro_that_could_not_be_made_is_no_second_fault(tmp_path: Path) -> None:
    """What its Windows host failed with is the reason; alone, the distro speaks for itself."""
    hostvars = inventory(tmp_path, windows=1)
    ran(tmp_path, "pc1-wsl", "unreachable", "no WSL distro of that name")
    assert look(tmp_path, hostvars)[1]["pc1"]["state"] == "unreachable"
    ran(tmp_path, "pc1", "failed", "pc1: Virtualization: found off. Next: firmware")
    row = look(tmp_path, hostvars)[1]["pc1"]
    assert (row["state"], [fault["host"] for fault in row["faults"]]) == ("failed", ["pc1"])


def test_preflight_speaks_where_no_run_does(tmp_path: Path) -> None:
    """Each check that failed, with its own next step; a run that failed has said the same."""
    check = {
        "id": "v",
        "title": "Virtualization",
        "verdict": "fail",
        "found": "off",
        "expected": "on",
        "next": "firmware",
    }
    leave(tmp_path, "preflight", "pc1", {"checks": [check]}, "fail")
    hostvars = inventory(tmp_path, windows=1)
    faults = look(tmp_path, hostvars)[1]["pc1"]["faults"]
    assert faults == [{"host": "pc1", "what": "Virtualization: found off, expected on", "next": "firmware"}]
    ran(tmp_path, "pc1", "failed", "Virtualization: found off")
    assert [item["what"] for item in look(tmp_path, hostvars)[1]["pc1"]["faults"]] == ["Virtualization: found off"]


def test_simulated_evidence_is_called_so(tmp_path: Path) -> None:
    """In the envelope and on the page; and it proves nothing."""
    hostvars = inventory(tmp_path, windows=1)
    ran(tmp_path, "pc1", provenance="simulated")
    summary, rows = look(tmp_path, hostvars)
    assert (rows["pc1"]["simulated"], rows["pc1"]["verdict"]) == (True, "insufficient_data")
    assert evidence.read(tmp_path / "fleet.json").evidence["provenance"] == "simulated"
    assert "simulated: that never counts" in Path(summary["page"]).read_text()


def test_fifty_hosts_are_readable(tmp_path: Path) -> None:
    """A line for each in a log, the same fault once, and the page holds all of them."""
    hostvars = inventory(tmp_path, windows=50)
    for at in range(1, 51):
        if at <= 20:
            ran(tmp_path, f"pc{at}", "failed", f"pc{at}: Memory: found 4 GiB, expected 8 GiB. Next: add <memory>")
        else:
            ran(tmp_path, f"pc{at}")
            up(tmp_path, f"pc{at}-wsl")
    summary, rows = look(tmp_path, hostvars)
    text = table.render(summary["title"], summary["columns"], summary["rows"], [], table.LOG_WIDTH)
    assert len(text.splitlines()) == 50 + 3
    faults = [line for line in summary["lines"] if "Memory" in line]
    assert len(faults) == 1
    assert faults[0].startswith("pc1, pc2, ")
    assert faults[0].endswith("pc20: Memory: found 4 GiB, expected 8 GiB. Next: add <memory>")
    page = Path(summary["page"]).read_text()
    assert page.count('<span class="id">pc') == 50
    assert "add &lt;memory&gt;" in page
    assert "src=" not in page
    assert len(rows) == 50


def test_long_messages_are_cut(tmp_path: Path) -> None:
    """The evidence of the run has more of them."""
    ran(tmp_path, "srv1", "failed", "x " * 3000)
    fault = look(tmp_path, inventory(tmp_path, linux=1))[1]["srv1"]["faults"][0]
    assert (len(fault["what"]), fault["next"]) == (401, "see the output of site")


def test_check_mode_leaves_nothing(tmp_path: Path) -> None:
    """The same is said."""
    hostvars = inventory(tmp_path, linux=1)
    summary = fleet.write(inventory_machines(hostvars, list(hostvars)), REQUIRED, NOW, keep=False)
    assert summary["title"] == "Fleet of 1: insufficient_data; 1 never seen"
    assert list(tmp_path.iterdir()) == []


def test_limit_shows_its_machines_and_counts_the_others(tmp_path: Path) -> None:
    """By either host of a machine; the files stay about all, for --failed goes by them."""
    ran(tmp_path, "srv1", "failed", "x")
    up(tmp_path, "srv2")
    hostvars = inventory(tmp_path, linux=2, windows=2)
    found = inventory_machines(hostvars, list(hostvars))
    some = fleet.write(found, REQUIRED, NOW, shown=["srv2", "pc1-wsl"])
    assert [row["name"] for row in some["rows"]] == ["pc1", "srv2"]
    assert some["title"] == "Fleet, 2 of 4: insufficient_data; 1 never seen, 1 healthy"
    assert (some["verdict"], some["lines"]) == (
        "insufficient_data",
        ["2 machines of the inventory left out by --limit", f"Fleet: {tmp_path}/fleet.html"],
    )
    document = evidence.read(Path(some["path"])).evidence
    assert (document["verdict"], len(document["results"]["machines"])) == ("fail", 4)
    assert [row["name"] for row in fleet.write(found, REQUIRED, NOW, shown=["srv1", "pc2"])["rows"]] == ["srv1", "pc2"]
    most = fleet.write(found, REQUIRED, NOW, shown=["srv1", "srv2", "pc2"])
    assert "1 machine of the inventory left out by --limit" in most["lines"]
    whole = fleet.write(found, REQUIRED, NOW, shown=list(hostvars))
    assert whole["title"].startswith("Fleet of 4: fail; ")
    assert "--limit" not in "".join(whole["lines"])


def test_verb_hands_its_limit_on(tmp_path: Path) -> None:
    """The exit code is that of the machines of the limit."""
    ran(tmp_path, "srv1", "failed", "x")
    its = {"ansible_connection": "local", "ready_evidence_dir": str(tmp_path), "ready_secrets_file": f"{tmp_path}/none"}
    (tmp_path / "hosts.yml").write_text(json.dumps({"ready": {"hosts": {"srv1": its, "srv2": its, "srv3": its}}}))

    def asked(*words: str) -> tuple[int, str]:
        command = [program(), "-i", str(tmp_path / "hosts.yml"), "playbooks/fleet.yml", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, text = asked("--limit", "srv2")
    assert code == 0, text
    assert "Fleet, 1 of 3: insufficient_data; 1 never seen" in text
    assert "2 machines of the inventory left out by --limit" in text
    assert not re.search(r"^srv[13] ", text, re.MULTILINE), text
    code, text = asked()
    assert code == 2, text
    assert "Fleet of 3: fail; 1 failed, 2 never seen" in text


def test_empty_inventory_is_told() -> None:
    """There is nowhere to write."""
    with pytest.raises(evidence.EvidenceError, match="names no host"):
        fleet.write([], REQUIRED, NOW)


def test_schema_knows_the_states() -> None:
    """The words stand in both."""
    from ready.stack.schema import SCHEMAS

    assert all(f'"{state}"' in (SCHEMAS / "evidence/fleet.schema.json").read_text() for state in fleet.STATES)
    assert callable(report.fleet_page)
