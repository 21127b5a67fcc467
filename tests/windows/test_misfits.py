"""PCs that do not fit, and what fails on the way: each with its own words, and nothing done that was not to be done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.simulator.conditions import DISTRO
from tests.windows.pcs import site_of

#: Condition, variables, words of the message: one host each, and nothing is changed on any.
MISFITS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "system": ("system-account", {}, ["WSL cannot run as SYSTEM"]),
    "store": ("store-wsl-only", {"wsl2_msi_version": ""}, ["System32\\wsl.exe alone", "set wsl2_msi_version"]),
    "pending": ("features-pending", {"wsl2_allow_reboot": False}, ["to finish enabling", "wsl2_allow_reboot"]),
    "virtual": ("no-virtualization", {}, ["ExposeVirtualizationExtensions"]),
    "policy": ("gpo-blocks-logon", {}, ["S-1-5-83-0"]),
    "edition": ("disabled-by-edition", {}, ["does not offer the feature"]),
    "old": ("server-2019", {"docker_backend": "engine"}, ["build 17763"]),
    "unpatched": ("windows-unpatched", {}, ["Windows is too old for the WSL package", "pending Windows updates"]),
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
    "way": (
        "proxy-taken",
        {"windows_network_allow": [{"name": "ssh", "port": 2222, "remote": ["192.168.1.7"], "native": True}]},
        ["one to 10.0.0.9/22 that is not ours", "netsh interface portproxy delete"],
    ),
    "wide": (
        "ready",
        {"windows_network_allow": [{"name": "redis", "port": 6379, "remote": ["0.0.0.0/0"]}]},
        ["remote 0.0.0.0/0", "name in windows_network_allow who may come in"],
    ),
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
    "logoff": ("fresh", {"nobody_logs_on": True}, {}, ["nobody is logged on as LOGOFF\\ready", "automatic logon"]),
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
    "build": (
        "with-wsl",
        {},
        {"docker_desktop_source": "https://mirror.example/gone.exe"},
        ["(404) Not Found", "keeps installers for six months"],
    ),
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
        alone = site.hosts["logoff"]  # its owner's session ended by the reboot: WSL, which needs none, is made
        assert alone.docker is None
        assert alone.registered[0].running
        assert f"keep {DISTRO}" in alone.tasks
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
