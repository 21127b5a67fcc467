"""Verbs for Windows hosts over the real protocol: diagnose, windows destroy, and in which order a fleet is done."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.simulator.installed import SETTINGS
from tests.simulator.inventory import DISTRO, LOCATION
from tests.windows.pcs import BIN, ROOT, Site, site_of

RULE: dict[str, Any] = {
    "enabled": True,
    "direction": "Inbound",
    "action": "Allow",
    "protocol": "TCP",
    "ports": ["5432"],
    "remote": ["192.168.1.0/24"],
    "profiles": ["Domain", "Private"],
}


def test_diagnose_prints_what_it_finds(tmp_path: Path) -> None:
    """As JSON, with the reasons, and starts nothing.

    A script that throws and a state that is not as promised: what came is in the report, with the fault.
    """
    conditions = {"pc1": "ready", "pc2": "fresh", "pc3": "ready", "pc4": "ready"}
    with site_of(tmp_path, conditions) as site:
        site.hosts["pc1"].registered[0].running = False
        site.hosts["pc3"].faults["state_error"] = "Access is denied."
        site.hosts["pc4"].desktops = [{"sid": 5, "session": "none"}]
        run = site.run("diagnose", "-e", f"ready_output={tmp_path / 'out.json'}")
        assert run.code == 2, run.text[-3000:]
        assert [run.count(name, "failed") for name in conditions] == [0, 0, 1, 1], run.text[-3000:]
        report = json.loads((tmp_path / "out.json").read_text())
        assert report["pc1"]["steps"] == []
        assert f"import {DISTRO} into" in " ".join(report["pc2"]["steps"])
        assert report["pc2"]["state"]["schema"] == "windows_state/1"
        assert not site.hosts["pc1"].registered[0].running
        assert {name: host.changes() for name, host in site.hosts.items() if host.changes()} == {}
        assert "Access is denied." in report["pc3"]["fault"]
        assert "Access is denied." in json.dumps(report["pc3"]["raw"])
        assert "Access is denied." in run.message("pc3")
        assert "not what scripts/windows/windows_state.ps1 promises" in report["pc4"]["fault"]
        assert report["pc4"]["state"]["account"]["desktops"] == [{"sid": 5, "session": "none"}]


def test_check_without_a_distro_says_what_makes_it(tmp_path: Path) -> None:
    """Before anything is measured, and without Ansible's words around it."""
    with site_of(tmp_path, {"pc1": "fresh"}) as site:
        run = site.run("windows_check")
        assert run.code == 2, run.text[-3000:]
        assert f"msg: pc1: found no distro {DISTRO} of " in run.message("pc1"), run.why()
        assert "Next: ./ready windows" in run.message("pc1")
        assert site.hosts["pc1"].changes() == []


def test_destroy_takes_what_is_ours(tmp_path: Path) -> None:
    """After asking; and a distro that Ready did not make stays, whatever is asked for, as others' rules do."""
    conditions = {"pc1": "ready", "pc2": "foreign-distro", "pc3": "mirrored"}
    of = {"pc3": {"windows_network_mode": "mirrored", "docker_backend": "engine"}}
    with site_of(tmp_path, conditions) as site:
        ready, foreign, mirrored = site.hosts.values()
        mirrored.hyperv_rules = {name: RULE | {"name": name} for name in ("Ready ready postgresql 5432", "Others")}
        options = json.dumps({"ready_distro": True})
        asked = site.run("windows_destroy", "--limit", "pc1", "-e", options)
        assert asked.code == 2, asked.text[-3000:]
        assert "Found no terminal to ask" in asked.message("pc1")
        options = json.dumps({"ready_distro": True, "ready_yes": True})
        checked = site.run("windows_destroy", "--check", "-e", options, of=of)
        assert checked.code == 0, checked.text[-3000:]
        assert {name: host.changes() for name, host in site.hosts.items() if host.changes()} == {}
        done = site.run("windows_destroy", "-e", options, of=of)
        assert done.code == 0, done.text[-3000:]
        assert (ready.registered, ready.tasks) == ([], {})
        assert f"{LOCATION}.ready.json" not in ready.files
        assert SETTINGS in ready.files
        assert "stays: Ready did not make it" in " ".join(done.text.split())
        assert (foreign.changes(), len(foreign.registered)) == ([], 1)
        assert set(mirrored.hyperv_rules) == {"Others"}


def states(site: Site) -> dict[str, str]:
    """Return machine -> state, as the summary at the end of a run has it."""
    document = json.loads((site.directory / "evidence" / "fleet.json").read_text())
    return {item["name"]: item["state"] for item in document["results"]["machines"]}


def test_fleet_goes_on_and_leaves_distros_of_failed_hosts_alone(tmp_path: Path) -> None:
    """Batch by batch; where another PC is fine the run goes on to the distros, not to that of one that failed."""
    conditions = {"pc1": "foreign-distro", "pc2": "ready", "pc3": "ready", "pc4": "ready"}
    with site_of(tmp_path, conditions) as site:
        secrets = str(tmp_path / "vault.yml")
        run = site.run(
            "site",
            *("-e", "ready_serial=50%", "-e", "ready_hosts=pc1-wsl,pc3-wsl"),
            twins={name: {} for name in conditions},
            of={"pc3": {"docker_backend": "another"}},  # refused before the play's first task
            ready_secrets_file=secrets,
        )
        assert run.code == 2, run.text[-3000:]
        assert run.text.count("PLAY [Make Windows") == 2, run.text
        assert "Ready did not make it" in run.message("pc1")
        assert "value of docker_backend must be one of" in run.message("pc3"), run.text[-3000:]
        for name in ("pc1", "pc3"):
            assert f"found that {name} failed in this run" in run.message(f"{name}-wsl"), run.text[-3000:]
            assert [entry for entry in site.hosts[name].record if "wsl_exec" in str(entry)] == []
            assert site.hosts[name].changes() == []
        assert [run.count(name, "failed") for name in ("pc2", "pc4")] == [0, 0]
        assert states(site) == {"pc1": "failed", "pc2": "not up", "pc3": "failed", "pc4": "not up"}
        assert not Path(secrets).exists()


def test_fleet_stops_where_told(tmp_path: Path) -> None:
    """The batch in which too many fail is the last, and the summary says who was ended with it."""
    conditions = {"pc1": "system-account", "pc2": "ready", "pc3": "ready"}
    with site_of(tmp_path, conditions) as site:
        run = site.run("site", "-e", "ready_serial=2 ready_max_fail_percentage=40")
        assert (run.code, run.text.count("PLAY [Make Windows")) == (2, 1), run.text[-3000:]
        assert states(site) == {"pc1": "failed", "pc2": "failed", "pc3": "never seen"}
        assert "pc2: ended with its batch" in run.text


def test_linux_alone_pays_nothing(tmp_path: Path) -> None:
    """An inventory without Windows hosts runs no task of theirs and prints no warning; their verb alone is refused."""
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"ready": {"hosts": {"localhost": {"ansible_connection": "local"}}}}))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(BIN / "ansible-playbook"), "-i", str(inventory), *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    done = run("site.yml", "--check", "--tags", "report")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "TASK" not in done.stdout.partition("PLAY [Bring the stack up]")[0]
    assert "WARNING" not in done.stdout + done.stderr
    refused = run("playbooks/windows.yml")
    assert (refused.returncode, refused.stdout) == (64, "")
    assert "found no Windows host" in refused.stderr
