"""The roles for Windows hosts over the real protocol: from a fresh PC to one that is ready, and every way to fail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.simulator.conditions import DISTRO, INVENTORY, LOCATION, host_in
from tests.simulator.fleet import Fleet
from tests.simulator.model import SETTINGS, Windows

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass
class Run:
    """How a run ended."""

    code: int
    text: str

    def count(self, host: str, word: str) -> int:
        """Return a number of the recap, such as changed."""
        found = re.search(rf"^{host}\s*:.*\b{word}=(\d+)", self.text, re.MULTILINE)
        assert found, self.text[-3000:]
        return int(found[1])

    def message(self, host: str) -> str:
        """Return the messages that a host failed with, in one line."""
        blocks = re.split(r"^(?=fatal: \[|TASK \[|PLAY |changed: \[|ok: \[)", self.text, flags=re.MULTILINE)
        own = (f"fatal: [{host}]", f"fatal: [{host} ")
        return " ".join(" ".join(block for block in blocks if block.startswith(own)).split())

    def why(self) -> str:
        """Return what every host failed with, unreachable ones too, and the recap: what an assertion says."""
        return "\n".join([*re.findall(r"^fatal: .*(?:\n[ \t].*)*", self.text, re.MULTILINE), self.text[-3000:]])


@dataclass
class Site:
    """Simulated hosts, an inventory of them, and playbooks as a user runs them."""

    fleet: Fleet
    hosts: dict[str, Windows]
    directory: Path

    def run(self, playbook: str, *arguments: str, timeout: int = 240, **variables: Any) -> Run:
        """Run a playbook; variables go to every host, `of` to single ones, `twins` makes a distro a host as well."""
        of, twins = variables.pop("of", {}), variables.pop("twins", False)
        inventory = self.directory / "inventory.yml"
        content = yaml.safe_load(self.fleet.inventory().read_text())
        content["all"]["vars"] = INVENTORY | {"ready_evidence_dir": str(self.directory / "evidence")} | variables
        for name, own in of.items():
            content["all"]["children"]["windows"]["hosts"][name] |= own
        if twins:
            content["all"]["children"]["wsl"] = {
                "vars": {"ansible_connection": "wsl_psrp", "ansible_wsl_distribution": DISTRO},
                "hosts": {f"{name}-wsl": {"ansible_wsl_windows_host": name} for name in self.hosts},
            }
        folder = ROOT if playbook == "site" else ROOT / "playbooks"
        inventory.write_text(yaml.safe_dump(content))
        done = subprocess.run(
            [BIN / "ansible-playbook", "-i", inventory, folder / f"{playbook}.yml", *arguments],
            cwd=ROOT,
            env=os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "COLUMNS": "400", "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout + done.stderr)

    def evidence(self, host: str) -> dict[str, Any]:
        """Return what preflight left about a host."""
        path = self.directory / "evidence" / "ready" / host / "preflight.json"
        return dict(json.loads(path.read_text()))

    def come_back(self) -> None:
        """Let every host whose connection was lost answer again."""
        for name, host in self.hosts.items():
            host.come_back()
            self.fleet.servers[name].wait()

    def forget(self) -> None:
        """Begin the records anew."""
        for name, host in self.hosts.items():
            host.record.clear()
            self.fleet.servers[name].trips.clear()


@contextmanager
def site_of(directory: Path, conditions: dict[str, str]) -> Iterator[Site]:
    """Give hosts by their names, each in a condition."""
    hosts = {name: host_in(condition, name) for name, condition in conditions.items()}
    fleet = Fleet(directory / "fleet", list(hosts.values()))
    try:
        yield Site(fleet, hosts, directory)
    finally:
        fleet.stop()
        for host in hosts.values():
            host.close()


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
    """Beside a bad one and one that is off, which stop nobody; the second run changes nothing and costs one script."""
    conditions = {"pc1": "fresh", "pc2": "no-virtualization", "pc3": "fresh", "pc4": "fresh"}
    with site_of(tmp_path, conditions) as site:
        site.hosts["pc4"].go_away()
        site.fleet.servers["pc4"].stop()
        first = site.run("windows")
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
            assert host.docker
            assert host.docker.running
            assert json.loads(host.files[SETTINGS])["IntegratedWslDistros"] == [DISTRO]
            assert host.files[SETTINGS][:1] == b"{"
            assert host.docker_users == {host.account}
            assert (host.rules, host.portproxy) == ({}, {})
            assert f"{LOCATION}.tar.gz" not in host.files
        site.forget()
        second = site.run("windows", "--limit", "pc1,pc3")
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
        run = site.run("windows", "--check")
        assert run.code == 0, run.text[-4000:]
        assert run.count("pc1", "changed") >= 10
        assert run.count("pc2", "changed") == 0
        host = site.hosts["pc1"]
        assert host.changes() == []
        assert all(action.check or action.name == "windows_state" for action in host.record)
        assert "win_reboot" not in {action.name for action in host.record}
        assert (dict(host.files), host.registered, host.docker, host.tasks) == (before, [], None, {})
        assert not (tmp_path / "evidence").exists()


#: Condition, variables, words of the message: one host each, and nothing is changed on any.
MISFITS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "system": ("system-account", {}, ["WSL cannot run as SYSTEM"]),
    "store": ("store-wsl-only", {"wsl2_msi_version": ""}, ["System32\\wsl.exe alone", "set wsl2_msi_version"]),
    "pending": ("features-pending", {"wsl2_allow_reboot": False}, ["to finish enabling", "wsl2_allow_reboot"]),
    "virtual": ("no-virtualization", {}, ["ExposeVirtualizationExtensions"]),
    "policy": ("gpo-blocks-logon", {}, ["S-1-5-83-0"]),
    "edition": ("disabled-by-edition", {}, ["does not offer the feature"]),
    "old": ("server-2019", {"docker_backend": "engine"}, ["build 17763"]),
    "hangs": ("wsl-hangs", {}, ["did not answer in time"]),
    "used": ("location-used", {}, ["is not empty", "nothing was deleted"]),
    "owner": ("other-owner", {}, ["belongs to PC\\anna"]),
    "foreign": ("foreign-distro", {}, ["Ready did not make it", "left untouched"]),
    "bad": ("with-wsl", {"docker_desktop_version": "4.42.0"}, ["FromRegistry", "docker_desktop_accept_bad_version"]),
    "licence": ("with-wsl", {"docker_desktop_accept_license": False}, ["250 employees"]),
    "server": ("server-2022", {}, ["docker_backend to engine"]),
    "nobody": ("nobody-logged-on", {}, ["nobody is logged on as NOBODY\\ready"]),
    "json": ("settings-broken", {}, ["no valid JSON", "it was not touched"]),
    "dangling": ("integration-lost", {}, ["leads nowhere"]),
    "mode": ("ready", {"windows_network_mode": "mirrored"}, ["nat is in effect"]),
    "port": ("port-taken", {}, ["held by postgres (pid 4712)", "set postgresql_port"]),
    "range": ("port-reserved", {}, ["in the range 7913-8012"]),
    "upgrade": ("docker-desktop-old", {}, ["docker_desktop_allow_restart"]),
}


def test_misfits_are_refused_and_untouched(tmp_path: Path) -> None:
    """Each with its own words, all in one run."""
    with site_of(tmp_path, {name: misfit[0] for name, misfit in MISFITS.items()}) as site:
        run = site.run("windows", of={name: misfit[1] for name, misfit in MISFITS.items()})
        assert run.code == 2
        wrong = {
            name: run.message(name) or run.text[-2000:]
            for name, (_, _, words) in MISFITS.items()
            if [word for word in words if word not in run.message(name)]
        }
        assert wrong == {}
        assert {name: host.changes() for name, host in site.hosts.items() if host.changes()} == {}
        assert {site.evidence(name)["verdict"] for name in MISFITS} == {"fail"}


#: Condition, faults, variables, words of the message.
FAILURES: dict[str, tuple[str, dict[str, Any], dict[str, Any], list[str]]] = {
    "stick": ("fresh", {"features_stick": True}, {}, ["EnablePending", "CBS.log", "it is not tried again"]),
    "lost": (
        "fresh",
        {"never_comes_back": True},
        {"wsl2_reboot_timeout": 5},
        ["Timed out waiting for last boot time check"],
    ),
    "msi": ("with-features", {"wsl_codes": [1603, 1603, 1603]}, {}, ["mend what the log says", "1603:"]),
    "busy": ("with-features", {"wsl_codes": [1618, 1618, 1618]}, {}, ["another installation runs"]),
    "sum": ("with-features", {}, {"wsl2_msi_sha256": "0" * 64}, ["did not match", "its checksum"]),
    "gone": ("with-wsl", {}, {"wsl2_rootfs_source": "https://mirror.example/gone"}, ["(404) Not Found", "the network"]),
    "image": ("with-wsl", {}, {"wsl2_rootfs_source": "C:\\none.wsl"}, ["found no such file", "expected C:\\none.wsl"]),
    "image-sum": ("with-wsl", {}, {"wsl2_rootfs_sha256": "0" * 64}, ["the SHA-256 0000", "see wsl2_rootfs_source"]),
    "taken": ("with-wsl", {"location_taken": True}, {}, ["in use already", "nothing was deleted"]),
    "start": (
        "with-wsl",
        {"start_code": "Wsl/Service/CreateInstance/CreateVm/HCS/0x80370102"},
        {},
        ["virtualization is off", "Set-VMProcessor"],
    ),
    "installer": ("with-wsl", {"docker_codes": [-5]}, {}, ["it was not elevated"]),
    "null": ("with-wsl", {"docker_codes": [1]}, {}, ["4.43.0 or newer"]),
    "engine": ("with-wsl", {"engine_never": True}, {}, ["no engine after 300 s", "context deadline exceeded"]),
    "forgotten": ("with-wsl", {"integration_lost": True}, {}, ["neither docker nor its socket"]),
    "password": ("with-wsl", {}, {"wsl2_owner_password": "another"}, ["censored"]),
}  # fmt: skip


def test_what_fails_on_the_way_says_why(tmp_path: Path) -> None:
    """All in one run, each at another place."""
    with site_of(tmp_path, {name: failure[0] for name, failure in FAILURES.items()}) as site:
        for name, host in site.hosts.items():
            host.faults |= FAILURES[name][1]
        site.hosts["msi"].logs["C:\\Windows\\Temp\\ready-wsl.log"] = ["Error 1603: fatal error during installation"]
        site.hosts["null"].logs["C:\\ProgramData\\DockerDesktop\\install-log-admin.txt"] = [
            "System.NullReferenceException", "at ExistingInstallation.FromRegistry()",
        ]  # fmt: skip
        run = site.run("windows", of={name: failure[2] for name, failure in FAILURES.items()}, timeout=400)
        assert run.code in {2, 4, 6}
        wrong = {
            name: run.message(name) or "it did not fail"
            for name, (_, _, _, words) in FAILURES.items()
            if [word for word in words if word not in run.message(name)]
        }
        assert wrong == {}
        assert site.hosts["stick"].changes().count("win_reboot") == 1
        attempts = [action for action in site.hosts["busy"].record if action.name == "win_package"]
        assert len(attempts) == 3
        assert len([action for action in site.hosts["sum"].record if action.name == "win_package"]) == 1
        assert "Pw-of-ready" not in run.text


def test_short_trouble_is_overcome(tmp_path: Path) -> None:
    """Another installation ran for a while: the package is installed at the second attempt."""
    with site_of(tmp_path, {"pc1": "with-features"}) as site:
        site.hosts["pc1"].faults["wsl_codes"] = [1618]
        run = site.run("windows")
        assert run.code == 0, run.text[-4000:]
        assert site.hosts["pc1"].wsl_version == "2.6.1.0"


#: What the connection is lost after.
BREAKS = [
    "win_optional_feature",
    "win_package",
    "win_get_url",
    "--import",
    "-d",
    "win_scheduled_task",
    "win_group_membership",
]


def test_lost_connections_are_continued(tmp_path: Path) -> None:
    """The next run ends what the first one began, and repeats nothing that destroys."""
    names = {f"pc{at}": lost for at, lost in enumerate(BREAKS)}
    with site_of(tmp_path, dict.fromkeys(names, "fresh")) as site:
        for name, lost in names.items():
            site.hosts[name].faults["lost_after"] = lost
        first = site.run("windows", timeout=400)
        assert first.code != 0
        assert [name for name in names if not (first.count(name, "unreachable") or first.count(name, "failed"))] == []
        assert {name: first.message(name) for name in names if "lost_after" in site.hosts[name].faults} == {}
        site.come_back()
        second = site.run("windows", timeout=400)
        assert second.code == 0, second.why()
        for host in site.hosts.values():
            made = host.changes()
            assert made.count(f"--import {DISTRO}") == 1
            assert made.count("win_reboot") == 1
            assert not [name for name in made if name.startswith("--unregister")]
        site.forget()
        third = site.run("windows")
        assert {third.count(name, "changed") for name in names} == {0}


def test_wrong_password_is_named(tmp_path: Path) -> None:
    """Nothing is asked of a host that does not know us."""
    with site_of(tmp_path, {"pc1": "fresh"}) as site:
        run = site.run("windows", of={"pc1": {"ansible_password": "wrong-one"}})
        assert run.code == 4
        assert run.count("pc1", "unreachable") == 1
        assert site.hosts["pc1"].record == []


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
