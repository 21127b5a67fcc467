"""The roles for Windows hosts over the real protocol: from a fresh PC to one that is ready."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.simulator.installed import SETTINGS
from tests.simulator.inventory import DISTRO, LOCATION
from tests.windows.pcs import Run, Site, site_of


def fleet_says(site: Site, run: Run) -> None:
    """The run ends with every host, those too that could not be reached, and the verb says the same from evidence."""
    last = run.text[run.text.index("Fleet of 5") :]
    assert last.startswith("Fleet of 5: fail; 1 unreachable, 2 failed, 2 not up")
    for words in (
        "pc4: Failed to connect to the host",
        "windows ping",
        "pc2: Virtualization: found off",
        "log on as PC5\\ready at the PC and run the same again",
    ):
        assert words in last
    document = json.loads((site.directory / "evidence" / "fleet.json").read_text())
    states = {machine["name"]: machine["state"] for machine in document["results"]["machines"]}
    assert states == {"pc4": "unreachable", "pc2": "failed", "pc1": "not up", "pc3": "not up", "pc5": "failed"}
    assert document["provenance"] == "simulated"
    assert "pc4" in (site.directory / "evidence" / "fleet.html").read_text()
    verb = site.run("fleet")
    assert verb.code == 2
    assert "Fleet of 5: fail; 1 unreachable, 2 failed, 2 not up" in verb.text
    assert "Pw-of-ready" not in run.text + verb.text


def stopped_after_reboot(site: Site, run: Run) -> None:
    """As the first verdict said; WSL is made, of Docker Desktop nothing was tried."""
    host = site.hosts["pc5"]
    assert host.desktops == []
    assert "this run stops after the reboot" in site.evidence_of("pc5", "docker_session")["next"]
    assert "found nobody logged on as PC5\\ready since the reboot" in run.message("pc5"), run.text[-4000:]
    assert (host.changes().count("win_reboot"), host.docker) == (1, None)
    assert f"keep {DISTRO}" in host.tasks
    assert not {"docker_desktop_start", "desktop_wait"} & {action.name for action in host.record}


def continued(site: Site, run: Run) -> None:
    """With somebody logged on, by what was left: nothing is made twice."""
    host = site.hosts["pc5"]
    assert run.count("pc5", "failed") == 0, run.text[-4000:]
    assert host.docker
    assert host.docker.running
    assert not {"win_reboot", "win_optional_feature", f"--import {DISTRO}"} & set(host.changes())


def test_fresh_pc_becomes_ready_and_stays_so(tmp_path: Path) -> None:
    """Beside a bad one and one that is off, which stop nobody; the second run changes nothing and costs one script.

    A server gets the same, without Docker Desktop: its engine is the distro's own. A PC that logs nobody on by itself
    takes two runs.
    """
    conditions = {"pc1": "fresh-automatic", "pc2": "no-virtualization", "pc3": "server-2022", "pc4": "fresh"}
    conditions["pc5"] = "fresh"  # nobody is logged on after its reboot: two runs
    of = {"pc3": {"docker_backend": "engine"}}
    with site_of(tmp_path, conditions) as site:
        site.hosts["pc1"].faults["slow_logon"] = True
        site.hosts["pc4"].go_away()
        site.fleet.servers["pc4"].stop()
        first = site.run("windows", of=of)
        assert first.code == 4
        fleet_says(site, first)
        stopped_after_reboot(site, first)
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
        assert "desktop_wait" in {action.name for action in site.hosts["pc1"].record}
        desktop, server = site.hosts["pc1"], site.hosts["pc3"]
        assert desktop.docker
        assert desktop.docker.running
        assert json.loads(desktop.files[SETTINGS])["IntegratedWslDistros"] == [DISTRO]
        assert desktop.files[SETTINGS][:1] == b"{"
        assert desktop.docker_users == {desktop.account}
        assert (server.docker, server.docker_users, SETTINGS in server.files) == (None, set(), False)
        site.forget()
        site.hosts["pc5"].log_on()
        second = site.run("windows", "--limit", "pc1,pc3,pc5", of=of)
        assert second.code == 0, second.why()
        continued(site, second)
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
        run = site.run("site", "--check", "-e", "ready_hosts=pc1-wsl", twins={"pc1": {}, "pc2": {}})
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
