"""Services in the distro, reached from beyond the PC: proxies that follow it, and the firewall of mirrored mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ready.windows.ownership import FOLDER
from ready.windows.portproxy_task import FOLLOW_SCRIPT

from tests.simulator.firewall import admits
from tests.simulator.handlers.scripts import wsl
from tests.simulator.inventory import DISTRO
from tests.windows.pcs import ROOT, Site, site_of

SSH = [{"name": "ssh", "port": 2222, "remote": ["192.168.1.7"], "native": True}]
DATABASE = [{"name": "postgresql", "port": 5432, "remote": ["192.168.1.0/24"]}]
MIRRORED = {"windows_network_mode": "mirrored", "docker_backend": "engine"}
SCRIPT = f"{FOLDER}\\{FOLLOW_SCRIPT}"
RULE = "Ready ready postgresql 5432"
OTHERS = {
    "enabled": True,
    "direction": "Inbound",
    "action": "Allow",
    "protocol": "TCP",
    "ports": ["5432"],
    "remote": ["Any"],
    "profiles": ["Any"],
}


def test_way_into_the_distro(tmp_path: Path) -> None:
    """Opened once; led to the new address when WSL starts again, without Ansible; closed again. Others' ways stay.

    Before that a run in check mode, of a new PC and one that is ready as well, says what would be done, and does none
    of it.
    """
    of: dict[str, dict[str, Any]] = {
        "pc1": {"windows_network_allow": DATABASE + SSH},
        "pc2": MIRRORED | {"windows_network_allow": DATABASE, "windows_network_public": True},
    }
    conditions = {"pc1": "ready", "pc2": "mirrored", "new": "fresh", "same": "ready"}
    with site_of(tmp_path, conditions) as site:
        nat, mirrored = site.hosts["pc1"], site.hosts["pc2"]
        foreign = {"0.0.0.0/80": "10.0.0.9/80"}
        nat.portproxy |= foreign
        mirrored.networks[0].category = "Public"
        theirs = {name: {**OTHERS, "name": name} for name in ("Backup agent", "Ready second x 80", "Readyness 5432")}
        nat.rules |= theirs | {name: {**OTHERS, "name": name} for name in (RULE, "Ready ready gone 9999")}
        only_predicted(site, of)
        first = site.run("windows", "--limit", "pc1,pc2", of=of)
        assert first.code == 0, first.text[-4000:]
        assert first.count("pc1", "changed") == 6  # rules, proxy, script, task, its start, a rule that nobody asks for
        assert admits(nat.networks, nat.firewall, nat.rules.values(), "192.168.1.30", 5432)
        assert nat.rules.pop(RULE)["remote"] == ["192.168.1.0/24"]  # ours, which somebody had opened to everybody
        marked = {"Ready ready ssh 2222 proxy"}
        assert nat.rules == theirs | {name: nat.rules[name] for name in marked}
        assert nat.portproxy == foreign | {"0.0.0.0/2222": "172.28.96.5/2222"}
        assert nat.files[SCRIPT] == (ROOT / "scripts" / "windows" / FOLLOW_SCRIPT).read_bytes()
        assert nat.tasks["forward ready"].time_limit == "PT0S"
        assert set(nat.tasks["forward ready"].triggers) == {"boot", "registration"}
        assert (nat.hyperv_rules, mirrored.rules, mirrored.portproxy) == ({}, {}, {})
        assert mirrored.hyperv_rules[RULE]["remote"] == ["192.168.1.0/24"]
        assert mirrored.hyperv_rules[RULE]["profiles"] == ["Domain", "Private", "Public"]
        assert "forward ready" not in mirrored.tasks
        assert "Pw-of-ready" not in first.text

        inside: Any = nat.registered[0].inside
        inside.next_addresses = ["172.28.111.9/20"]
        wsl(nat, ["--terminate", DISTRO], b"")
        nat.minute_later()  # the pause after which our tasks start it again
        assert nat.portproxy == foreign | {"0.0.0.0/2222": "172.28.111.9/2222"}
        again = site.run("windows", "--limit", "pc1,pc2", of=of)
        assert again.code == 0, again.text[-4000:]
        # The rule that somebody removed, and nothing else.
        assert [again.count(name, "changed") for name in ("pc1", "pc2")] == [1, 0], again.text[-4000:]
        assert set(nat.rules) == {RULE, "Ready ready ssh 2222 proxy", *theirs}
        assert nat.portproxy == foreign | {"0.0.0.0/2222": "172.28.111.9/2222"}

        closed = site.run("windows", "--limit", "pc1")
        assert closed.code == 0, closed.text[-4000:]
        assert (nat.rules, nat.portproxy, sorted(nat.tasks)) == (theirs, foreign, [f"keep {DISTRO}"])
        assert SCRIPT not in nat.files


def test_withdrawing_public_networks_closes_them(tmp_path: Path) -> None:
    """Predicted in check mode; rules of ours lose the profile, once, and what the inventory still asks for is named."""
    allowed: dict[str, Any] = {"windows_network_allow": DATABASE}
    asked: dict[str, dict[str, Any]] = {"pc1": allowed, "pc2": MIRRORED | allowed}
    wide = {name: its | {"windows_network_public": True} for name, its in asked.items()}
    with site_of(tmp_path, {"pc1": "ready", "pc2": "mirrored"}) as site:
        nat, mirrored = site.hosts["pc1"], site.hosts["pc2"]
        for host in (nat, mirrored):
            host.networks[0].category = "Public"
        theirs = {**OTHERS, "name": "Backup agent"}
        nat.rules["Backup agent"] = dict(theirs)
        opened = site.run("windows", of=wide)
        assert opened.code == 0, opened.text[-4000:]
        rules = {"pc1": nat.rules, "pc2": mirrored.hyperv_rules}
        assert {its[RULE]["profiles"][-1] for its in rules.values()} == {"Public"}

        predicted = site.run("windows", "--check", of=asked)
        assert predicted.code == 0, predicted.text[-4000:]
        assert "the run closes it there" in " ".join(predicted.text.split())
        assert {its[RULE]["profiles"][-1] for its in rules.values()} == {"Public"}

        for changed in (1, 0):
            closed = site.run("windows", of=asked)
            assert closed.code == 2, closed.text[-4000:]
            said = " ".join(closed.text.split())
            assert "is Public, where a rule for Domain and Private lets nobody in" in said
            assert "else take postgresql out of windows_network_allow" in said
            assert [its[RULE]["profiles"] for its in rules.values()] == [["Domain", "Private"]] * 2
            assert [closed.count(name, "changed") for name in rules] == [changed, changed], closed.text[-4000:]
        assert nat.rules["Backup agent"] == theirs


def only_predicted(site: Site, of: dict[str, dict[str, Any]]) -> None:
    """A run in check mode says what would be done and does nothing: the record proves it."""
    new = site.hosts["new"]
    before = dict(new.files)
    run = site.run("site", "--check", "-e", "ready_hosts=new-wsl", of=of, twins={"new": {}})
    assert run.code == 0, run.text[-4000:]
    assert run.count("new", "changed") >= 10, run.text[-4000:]
    assert "the distro of new is not there yet" in " ".join(run.text.split())
    assert run.count("same", "changed") == 0, run.text[-4000:]
    assert {name: host.changes() for name, host in site.hosts.items() if host.changes()} == {}
    for host in site.hosts.values():
        assert all(action.check or action.name == "windows_state" for action in host.record), host.record
    assert "win_reboot" not in {action.name for action in new.record}
    assert (dict(new.files), new.registered, new.docker, new.tasks) == (before, [], None, {})
    assert not (site.directory / "evidence").exists()
