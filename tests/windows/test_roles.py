"""The roles for Windows hosts over the real protocol: from a fresh PC to one that is ready, and back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.simulator.conditions import DISTRO, LOCATION
from tests.simulator.model import SETTINGS
from tests.windows.pcs import BIN, ROOT, Run, Site, site_of


def fleet_says(site: Site, run: Run) -> None:
    """The run ends with every host, those too that could not be reached, and the verb says the same from evidence."""
    last = run.text[run.text.index("Fleet of 4") :]
    assert last.startswith("Fleet of 4: fail; 1 unreachable, 1 failed, 2 not up")
    for words in ("pc4: Failed to connect to the host", "win_ping) reaches it", "pc2: Virtualization: found off"):
        assert words in last
    document = json.loads((site.directory / "evidence" / "fleet.json").read_text())
    states = {machine["name"]: machine["state"] for machine in document["results"]["machines"]}
    assert states == {"pc4": "unreachable", "pc2": "failed", "pc1": "not up", "pc3": "not up"}
    assert document["provenance"] == "simulated"
    assert "pc4" in (site.directory / "evidence" / "fleet.html").read_text()
    verb = site.run("fleet")
    assert verb.code == 2
    assert "Fleet of 4: fail; 1 unreachable, 1 failed, 2 not up" in verb.text
    assert "Pw-of-ready" not in run.text + verb.text


def test_fresh_pc_becomes_ready_and_stays_so(tmp_path: Path) -> None:
    """Beside a bad one and one that is off, which stop nobody; the second run changes nothing and costs one script.

    A server gets the same, without Docker Desktop: its engine is the distro's own.
    """
    conditions = {"pc1": "fresh", "pc2": "no-virtualization", "pc3": "server-2022", "pc4": "fresh"}
    of = {"pc3": {"docker_backend": "engine"}}
    with site_of(tmp_path, conditions) as site:
        site.hosts["pc4"].go_away()
        site.fleet.servers["pc4"].stop()
        first = site.run("windows", of=of)
        assert first.code == 4
        fleet_says(site, first)
        assert "Virtualization: found off" in first.message("pc2")
        assert site.hosts["pc2"].changes() == []
        for name in ("pc1", "pc3"):
            host = site.hosts[name]
            assert first.count(name, "failed") == 0, first.text[-4000:]
            assert host.changes().count("win_reboot") == 1
            assert host.wsl_version == "2.6.1.0"
            assert host.registered[0].base_path == LOCATION
            inside: Any = host.registered[0].inside
            assert inside.files["/etc/wsl.conf"][1] == b"[boot]\nsystemd=true\n\n[user]\ndefault=ready\n"
            assert host.tasks[f"keep {DISTRO}"].time_limit == "PT0S"
            assert (host.rules, host.portproxy) == ({}, {})
            assert f"{LOCATION}.tar.gz" not in host.files
        desktop, server = site.hosts["pc1"], site.hosts["pc3"]
        assert desktop.docker
        assert desktop.docker.running
        assert json.loads(desktop.files[SETTINGS])["IntegratedWslDistros"] == [DISTRO]
        assert desktop.files[SETTINGS][:1] == b"{"
        assert desktop.docker_users == {desktop.account}
        assert (server.docker, server.docker_users, SETTINGS in server.files) == (None, set(), False)
        site.forget()
        second = site.run("windows", "--limit", "pc1,pc3", of=of)
        assert second.code == 0
        for name in ("pc1", "pc3"):
            assert second.count(name, "changed") == 0
            assert [action.name for action in site.hosts[name].record] == ["windows_state"]
            assert sum(site.fleet.servers[name].trips.values()) <= 12, site.fleet.servers[name].trips
            evidence = site.evidence(name)
            assert (evidence["provenance"], evidence["verdict"]) == ("simulated", "pass")


def test_check_predicts_and_does_nothing(tmp_path: Path) -> None:
    """The record proves it."""
    with site_of(tmp_path, {"pc1": "fresh", "pc2": "ready"}) as site:
        before = dict(site.hosts["pc1"].files)
        run = site.run("site", "--check", "-e", "ready_hosts=pc1-wsl", twins=True)
        assert run.code == 0, run.text[-4000:]
        assert run.count("pc1", "changed") >= 10
        assert "the distro of pc1 is not there yet" in " ".join(run.text.split())
        assert run.count("pc2", "changed") == 0
        host = site.hosts["pc1"]
        assert host.changes() == []
        assert all(action.check or action.name == "windows_state" for action in host.record)
        assert "win_reboot" not in {action.name for action in host.record}
        assert (dict(host.files), host.registered, host.docker, host.tasks) == (before, [], None, {})
        assert not (tmp_path / "evidence").exists()


def test_destroy_takes_what_is_ours(tmp_path: Path) -> None:
    """After asking; and a distro that Ready did not make stays, whatever is asked for."""
    with site_of(tmp_path, {"pc1": "ready", "pc2": "foreign-distro"}) as site:
        options = json.dumps({"ready_distro": True})
        asked = site.run("windows_destroy", "-e", options)
        assert asked.code == 2
        assert "the answer was not yes" in asked.message("pc1")
        assert site.hosts["pc1"].changes() == []
        options = json.dumps({"ready_distro": True, "ready_yes": True})
        checked = site.run("windows_destroy", "--check", "-e", options)
        assert checked.code == 0, checked.text[-3000:]
        assert site.hosts["pc1"].changes() == []
        done = site.run("windows_destroy", "-e", options)
        assert done.code == 0, done.text[-3000:]
        assert (site.hosts["pc1"].registered, site.hosts["pc1"].tasks) == ([], {})
        assert f"{LOCATION}.ready.json" not in site.hosts["pc1"].files
        assert SETTINGS in site.hosts["pc1"].files
        assert "stays: Ready did not make it" in " ".join(done.text.split())
        assert (site.hosts["pc2"].changes(), len(site.hosts["pc2"].registered)) == ([], 1)


def test_diagnose_prints_the_state(tmp_path: Path) -> None:
    """As JSON on standard output, with the reasons; and starts nothing."""
    with site_of(tmp_path, {"pc1": "ready", "pc2": "fresh"}) as site:
        site.hosts["pc1"].registered[0].running = False
        run = site.run("diagnose", "-e", f"ready_output={tmp_path / 'out.json'}")
        assert run.code == 0, run.text[-3000:]
        report = json.loads((tmp_path / "out.json").read_text())
        assert report["pc1"]["steps"] == []
        assert "import Ubuntu-22.04 into" in " ".join(report["pc2"]["steps"])
        assert report["pc2"]["state"]["schema"] == "windows_state/1"
        assert not site.hosts["pc1"].registered[0].running
        assert site.hosts["pc2"].changes() == []


def test_diagnose_prints_what_it_cannot_use(tmp_path: Path) -> None:
    """A script that throws and a state that is not as promised: what came is in the report, with the fault."""
    with site_of(tmp_path, {"pc1": "ready", "pc2": "ready", "pc3": "ready"}) as site:
        site.hosts["pc1"].faults["state_error"] = "Access is denied."
        site.hosts["pc2"].desktops = [{"sid": 5, "session": "none"}]
        run = site.run("diagnose", "-e", f"ready_output={tmp_path / 'out.json'}")
        assert run.code == 2
        report = json.loads((tmp_path / "out.json").read_text())
        assert "Access is denied." in report["pc1"]["fault"]
        assert "Access is denied." in json.dumps(report["pc1"]["raw"])
        assert "not what scripts/windows/windows_state.ps1 promises" in report["pc2"]["fault"]
        assert report["pc2"]["state"]["account"]["desktops"] == [{"sid": 5, "session": "none"}]
        assert report["pc3"]["state"]["schema"] == "windows_state/1"
        assert "Access is denied." in run.message("pc1")


def test_distro_of_a_failed_host_is_left_alone(tmp_path: Path) -> None:
    """Where another PC is fine the run goes on to the distros: not to that of the one that failed, which is named."""
    with site_of(tmp_path, {"pc1": "foreign-distro", "pc2": "ready", "pc3": "ready"}) as site:
        secrets = str(tmp_path / "vault.yml")
        of = {"pc3": {"docker_backend": "another"}}  # refused before the play's first task
        hosts = "ready_hosts=pc1-wsl,pc3-wsl"
        run = site.run("site", "-e", hosts, twins=True, of=of, ready_secrets_file=secrets)
        assert run.code == 2
        assert "Ready did not make it" in run.message("pc1")
        assert "value of docker_backend must be one of" in run.message("pc3"), run.text[-3000:]
        for name in ("pc1", "pc3"):
            assert f"found that {name} failed in this run" in run.message(f"{name}-wsl"), run.text[-3000:]
            assert [entry for entry in site.hosts[name].record if "wsl_exec" in str(entry)] == []
            assert site.hosts[name].changes() == []
        assert run.count("pc2", "failed") == 0
        assert not Path(secrets).exists()


def batches(directory: Path, *arguments: str, playbook: str = "windows") -> tuple[int, str, dict[str, str]]:
    """Run a playbook over four hosts of which the first fails at once, as it is SYSTEM's; return host -> state too."""
    conditions = {"pc1": "system-account", "pc2": "ready", "pc3": "ready", "pc4": "ready"}
    with site_of(directory, conditions) as site:
        run = site.run(playbook, *arguments)
        document = json.loads((directory / "evidence" / "fleet.json").read_text())
        return run.code, run.text, {item["name"]: item["state"] for item in document["results"]["machines"]}


def test_fleet_goes_on_by_default(tmp_path: Path) -> None:
    """One that fails stops nobody."""
    code, text, states = batches(tmp_path)
    assert (code, text.count("PLAY [Make Windows")) == (2, 1)
    assert states == {"pc1": "failed", "pc2": "not up", "pc3": "not up", "pc4": "not up"}


def test_fleet_stops_where_told(tmp_path: Path) -> None:
    """Batch by batch; the batch in which too many fail is the last, and the summary says who was ended with it."""
    code, text, states = batches(tmp_path, "-e", "ready_serial=2 ready_max_fail_percentage=40", playbook="site")
    assert (code, text.count("PLAY [Make Windows")) == (2, 1)
    assert states == {"pc1": "failed", "pc2": "failed", "pc3": "never seen", "pc4": "never seen"}
    assert "pc2: ended with its batch" in text
    code, text, states = batches(tmp_path / "again", "-e", "ready_serial=50%")
    assert (code, text.count("PLAY [Make Windows")) == (2, 2)
    assert states == {"pc1": "failed", "pc2": "not up", "pc3": "not up", "pc4": "not up"}


def test_linux_alone_pays_nothing(tmp_path: Path) -> None:
    """An inventory without Windows hosts runs no task and prints no warning."""
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}}))
    done = subprocess.run(
        [BIN / "ansible-playbook", "-i", inventory, ROOT / "playbooks" / "windows.yml"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "TASK" not in done.stdout
    assert "WARNING" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["windows", "diagnose", "windows_destroy"])
def test_windows_hosts_are_those_of_the_group(name: str) -> None:
    """No verb for Windows touches a host outside of it."""
    play = yaml.safe_load((ROOT / "playbooks" / f"{name}.yml").read_text())[0]
    assert "groups.windows" in play["hosts"]
