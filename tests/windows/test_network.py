"""Services in the distro, reached from beyond the PC: proxies that follow it, and the firewall of mirrored mode."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ready.windows.network import FOLDER, FOLLOWER

from tests.simulator.conditions import DISTRO
from tests.simulator.handlers.scripts import wsl
from tests.windows.pcs import ROOT, site_of

SSH = [{"name": "ssh", "port": 2222, "remote": ["192.168.1.7"], "native": True}]
DATABASE = [{"name": "postgresql", "port": 5432, "remote": ["192.168.1.0/24"]}]
MIRRORED = {"windows_network_mode": "mirrored", "docker_backend": "engine"}
SCRIPT = f"{FOLDER}\\{FOLLOWER}"
RULE = "Ready ready postgresql 5432"
OTHERS = {
    "enabled": True,
    "direction": "Inbound",
    "action": "Allow",
    "protocol": "TCP",
    "ports": ["5432"],
    "remote": ["Any"],
}


def test_way_into_the_distro(tmp_path: Path) -> None:
    """Opened once; led to the new address when WSL starts anew, without Ansible; closed again. Others' ways stay."""
    of: dict[str, dict[str, Any]] = {
        "pc1": {"windows_network_allow": DATABASE + SSH},
        "pc2": MIRRORED | {"windows_network_allow": DATABASE},
    }
    with site_of(tmp_path, {"pc1": "ready", "pc2": "mirrored"}) as site:
        nat, mirrored = site.hosts["pc1"], site.hosts["pc2"]
        foreign = {"0.0.0.0/80": "10.0.0.9/80"}
        nat.portproxy |= foreign
        theirs = {name: {**OTHERS, "name": name} for name in ("Backup agent", "Ready second x 80", "Readyness 5432")}
        nat.rules |= theirs | {name: {**OTHERS, "name": name} for name in (RULE, "Ready ready gone 9999")}
        checked = site.run("windows", "--check", of=of)
        assert (checked.code, nat.changes(), mirrored.changes()) == (0, [], []), checked.text[-4000:]
        first = site.run("windows", of=of)
        assert first.code == 0, first.text[-4000:]
        assert first.count("pc1", "changed") == 5  # rules, proxy, script, task, a rule of ours that nobody asks for
        assert nat.rules.pop(RULE)["remote"] == ["192.168.1.0/24"]  # ours, which somebody had opened to everybody
        marked = {"Ready ready ssh 2222 proxy"}
        assert nat.rules == theirs | {name: nat.rules[name] for name in marked}
        assert nat.portproxy == foreign | {"0.0.0.0/2222": "172.28.96.5/2222"}
        assert nat.files[SCRIPT] == (ROOT / "scripts" / "windows" / FOLLOWER).read_bytes()
        assert nat.tasks["forward ready"].time_limit == "PT0S"
        assert set(nat.tasks["forward ready"].triggers) == {"boot", "registration"}
        assert (nat.hyperv_rules, mirrored.rules, mirrored.portproxy) == ({}, {}, {})
        assert mirrored.hyperv_rules[RULE]["remote"] == ["192.168.1.0/24"]
        assert "forward ready" not in mirrored.tasks
        assert "Pw-of-ready" not in first.text

        restored = site.run("windows", "--limit", "pc1", of=of)  # somebody removed it
        assert restored.code == 0, restored.text[-4000:]
        assert set(nat.rules) == {RULE, "Ready ready ssh 2222 proxy", *theirs}
        inside: Any = nat.registered[0].inside
        inside.next_addresses = ["172.28.111.9 172.17.0.1\n"]
        wsl(nat, ["--terminate", DISTRO], b"")
        assert nat.portproxy == foreign | {"0.0.0.0/2222": "172.28.111.9/2222"}
        again = site.run("windows", of=of)
        assert [again.count(name, "changed") for name in ("pc1", "pc2")] == [0, 0], again.text[-4000:]

        closed = site.run("windows", "--limit", "pc1", of={"pc2": of["pc2"]})
        assert closed.code == 0, closed.text[-4000:]
        assert (nat.rules, nat.portproxy, sorted(nat.tasks)) == (theirs, foreign, [f"keep {DISTRO}"])
        assert SCRIPT not in nat.files
        mirrored.hyperv_rules["Others"] = {"name": "Others"}
        done = site.run("windows_destroy", "--limit", "pc2", "-e", json.dumps({"ready_yes": True}), of=of)
        assert done.code == 0, done.text[-4000:]
        assert set(mirrored.hyperv_rules) == {"Others"}
