"""PCs that do not fit, and what fails on the way: each with its own words, and nothing done that was not to be done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.files import Shared
from tests.simulator.inventory import DISTRO, DOWNLOADS, INSTALLER, LOCATION, MSI, ROOTFS
from tests.windows.pcs import Run, Site, site_of

#: A proxy with a password, which is no_log's reason.
PROXY = "http://user:Secret-of-proxy@proxy.example:3128"
#: Condition, variables, words of the message: one host each, and nothing is changed on any. Here each role refuses, and
#: gets its variables; tests/unit/windows/test_plans.py has what else does not fit.
MISFITS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "system": ("system-account", {}, ["WSL cannot run as SYSTEM"]),
    "store": ("store-wsl-only", {"wsl2_msi_version": ""}, ["System32\\wsl.exe alone", "set wsl2_msi_version"]),
    "pending": ("features-pending", {"wsl2_allow_reboot": False}, ["to finish enabling", "wsl2_allow_reboot"]),
    "virtual": ("no-virtualization", {}, ["ExposeVirtualizationExtensions"]),
    "old": ("server-2019", {"docker_backend": "engine"}, ["build 17763"]),
    "updates": ("windows-without-updates", {}, ["expected 22631.3672 or newer", "install the pending updates"]),
    "foreign": ("foreign-distro", {}, ["Ready did not make it", "left untouched"]),
    "bad": ("with-wsl", {"docker_desktop_version": "4.42.0"}, ["FromRegistry", "docker_desktop_accept_bad_version"]),
    "licence": ("with-wsl", {"docker_desktop_accept_license": False}, ["250 employees"]),
    "json": ("settings-broken", {}, ["no valid JSON", "it was not touched"]),
    "mode": ("ready", {"windows_network_mode": "mirrored"}, ["nat is in effect"]),
    "port": ("port-taken", {}, ["held by postgres (pid 4712)", "set postgresql_port"]),
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
    "closed": (
        "public-network",
        {"windows_network_allow": [{"name": "redis", "port": 6379, "remote": ["192.168.1.0/24"]}]},
        ["Ethernet, which leads to 192.168.1.0/24, is Public", "Set-NetConnectionProfile", "windows_network_public"],
    ),
    "keep": (
        "ready",
        {"wsl2_keepalive": False},
        ["wsl2_keepalive is false, and keep-wsl has backup_schedule daily"],
    ),
}

#: Everything on a share, whose server knows another account than the PC does.
SHARE = "\\\\files.example\\pub\\"
ON_SHARE = {
    "wsl2_msi_source": f"{SHARE}wsl.msi",
    "wsl2_rootfs_source": f"{SHARE}ubuntu.wsl",
    "docker_desktop_source": f"{SHARE}Docker Desktop Installer.exe",
}
READER = {"user": "FILES\\reader", "password": "Pw-of-reader-1"}
GIVEN = {f"{role}_share_{key}": value for role in ("wsl2", "docker_desktop") for key, value in READER.items()}

#: Condition, faults, variables, words of the message.
FAILURES: dict[str, tuple[str, dict[str, Any], dict[str, Any], list[str]]] = {
    "stick": ("fresh", {"features_stick": True}, {}, ["EnablePending", "CBS.log", "it is not tried again"]),
    "lost": (
        "fresh",
        {"never_comes_back": True},
        {"wsl2_reboot_timeout": 5},
        ["Timed out waiting for last boot time check"],
    ),
    "logoff": ("fresh", {}, {}, ["nobody logged on as LOGOFF\\ready since the reboot", "the second run continues"]),
    "msi": ("with-features", {"wsl_codes": [1603, 1603, 1603]}, {}, ["correct what the log says", "1603:"]),
    "msix": (
        "with-features",
        {},
        {"docker_backend": "engine"},
        ["its MSIX package could not be registered over the network", "upgrade Windows"],
    ),
    "busy": ("with-features", {"wsl_codes": [1618, 1618, 1618]}, {}, ["another installation runs"]),
    "sum": ("with-features", {}, {"wsl2_msi_sha256": "0" * 64}, ["did not match", "its checksum"]),
    "gone": ("with-wsl", {}, {"wsl2_rootfs_source": "https://mirror.example/gone"}, ["(404) Not Found", "the network"]),
    "image": ("with-wsl", {}, {"wsl2_rootfs_source": "C:\\none.wsl"}, ["found no such file", "expected C:\\none.wsl"]),
    "image-sum": ("with-wsl", {}, {"wsl2_rootfs_sha256": "0" * 64}, ["the SHA-256 0000", "see wsl2_rootfs_source"]),
    "hop": ("with-features", {}, {"wsl2_msi_source": ON_SHARE["wsl2_msi_source"]}, [
        f"{ON_SHARE['wsl2_msi_source']} could not be read as ready", "a share is a second hop", "set wsl2_share_user",
    ]),
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
    "rule": (
        "ready",
        {"rules_taken_back": True},
        {"windows_network_allow": [{"name": "redis", "port": 6379, "remote": ["192.168.1.0/24"]}]},
        ["Rule Ready ready redis 6379: found none", "another program changes rules"],
    ),
    "null": ("with-wsl", {"docker_codes": [1]}, {}, ["4.43.0 or newer"]),
    "engine": ("with-wsl", {"engine_never": True}, {}, ["no engine after 300 s", "context deadline exceeded"]),
    "forgotten": ("with-wsl", {"integration_lost": True}, {}, ["neither docker nor its socket"]),
    "password": (
        "with-wsl",
        {},
        {"wsl2_owner_password": "another-Pw-7"},
        ["task Ready\\keep Ubuntu-22.04", "password is wrong", "0x8007052E", "correct wsl2_owner_password"],
    ),
    "inside": (
        "with-distro",
        {"native_error": "Cannot process argument transformation on parameter 'Stdin': {Stdin}"},
        {"wsl2_proxy": PROXY},
        ["the script native_run failed: Cannot process argument", "parameter 'Stdin': ***", "./ready diagnose"],
    ),
    "plan": ("with-distro", {}, {"wsl2_disk_limit": "much", "wsl2_proxy": PROXY}, ["plan of WSL: found", "much"]),
    "credentials": ("with-wsl", {"task_refused": "0x80070520"}, {}, ["DisableDomainCreds is 1", "0x80070520"]),
    "batch": ("with-wsl", {"task_refused": "0x80070569"}, {}, ["may not log on as a batch job", "SeBatchLogonRight"]),
}  # fmt: skip


#: Condition, faults, variables: what is beside them, and must neither stop them nor be stopped.
OTHERS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "short": ("with-features", {"wsl_codes": [1618]}, {}),  # another installation runs for a while
    "wrong": ("fresh", {}, {"ansible_password": "wrong-one"}),
    "served": ("with-features", {}, ON_SHARE | GIVEN),  # with a password for the second hop
    "off": ("fresh", {}, {}),
}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Run]]:
    """All of them in one run, and how it ended."""
    made = MISFITS | FAILURES | OTHERS
    variables = {name: misfit[1] for name, misfit in MISFITS.items()}
    variables |= {name: failure[2] for name, failure in (FAILURES | OTHERS).items()}
    with site_of(tmp_path_factory.mktemp("many"), {name: entry[0] for name, entry in made.items()}) as site:
        for name, failure in (FAILURES | OTHERS).items():
            site.hosts[name].faults |= failure[1]
        site.hosts["msix"].build = 22000  # Windows 11 21H2, which the cure was never made for
        site.hosts["msi"].logs["C:\\Windows\\Temp\\ready-wsl.log"] = ["Error 1603: fatal error during installation"]
        site.hosts["null"].logs["C:\\ProgramData\\DockerDesktop\\install-log-admin.txt"] = [
            "System.NullReferenceException", "at ExistingInstallation.FromRegistry()",
        ]  # fmt: skip
        for host in (site.hosts["hop"], site.hosts["served"]):
            contents = zip(ON_SHARE.values(), (MSI, ROOTFS, INSTALLER), strict=True)
            host.files.shares |= {
                path: Shared(READER["user"], READER["password"], DOWNLOADS[url]) for path, url in contents
            }
        site.hosts["off"].go_away()
        site.fleet.servers["off"].stop()
        run = site.run("windows", of=variables, twins={"keep": {"backup_schedule": "daily"}})
        assert run.code in {4, 6}, run.text[-6000:]
        yield site, run


def test_misfits_are_refused_and_untouched(many: tuple[Site, Run]) -> None:
    """Each with its own words."""
    site, run = many
    wrong = {
        name: run.message(name) or run.text[-2000:]
        for name, (_, _, words) in MISFITS.items()
        if [word for word in words if word not in run.message(name)]
    }
    assert wrong == {}
    assert {name: site.hosts[name].changes() for name in MISFITS if site.hosts[name].changes()} == {}
    assert {site.evidence(name)["verdict"] for name in MISFITS} == {"fail"}


def test_what_fails_on_the_way_says_why(many: tuple[Site, Run]) -> None:
    """Each at another place."""
    site, run = many
    wrong = {
        name: run.message(name) or "it did not fail"
        for name, (_, _, _, words) in FAILURES.items()
        if [word for word in words if word not in run.message(name)]
    }
    assert wrong == {}
    assert site.hosts["stick"].changes().count("win_reboot") == 1
    alone = site.hosts["logoff"]  # its owner's session ended by the reboot: WSL, which needs none, is made
    assert "this run stops after the reboot" in site.evidence_of("logoff", "docker_session")["next"]
    assert "Docker Desktop is an interactive program. WSL is made" in run.message("logoff")
    assert alone.docker is None
    assert alone.registered[0].running
    assert f"keep {DISTRO}" in alone.tasks
    attempts = [action for action in site.hosts["busy"].record if action.name == "win_package"]
    assert len(attempts) == 3
    assert len([action for action in site.hosts["sum"].record if action.name == "win_package"]) == 1
    assert "Pw-of-ready" not in run.text
    assert "another-Pw-7" not in run.text
    assert "Secret-of-proxy" not in run.text
    last = run.text[run.text.index("Fleet of") :]
    assert "censored" not in last, last
    assert "batch: task Ready" in last, last


def test_short_trouble_is_overcome(many: tuple[Site, Run]) -> None:
    """The package is installed at the second attempt; so many that fail beside it stop nothing."""
    site, run = many
    host = site.hosts["short"]
    assert (run.count("short", "failed"), run.count("short", "unreachable")) == (0, 0), run.text[-4000:]
    assert host.wsl_version == "2.6.1.0"
    assert [action.name for action in host.record].count("win_package") == 3  # twice WSL, once Docker Desktop
    assert host.docker
    assert host.docker.running
    assert (host.rules, host.portproxy) == ({}, {})
    assert f"{LOCATION}.tar.gz" not in host.files


def test_shares_are_read_with_a_password_of_their_own(many: tuple[Site, Run]) -> None:
    """Package, image and installer are copied first, with a logon for the network alone, and the copies are removed."""
    site, run = many
    host = site.hosts["served"]
    assert run.count("served", "failed") == 0, run.why()
    assert host.wsl_version == "2.6.1.0"
    assert host.mine(DISTRO)
    assert host.docker
    assert not [path for path in host.files if path.endswith((".msi", ".tar.gz", "ready-docker-desktop.exe"))]
    assert READER["password"] not in run.text


def test_wrong_password_is_named(many: tuple[Site, Run]) -> None:
    """Nothing is asked of a host that does not know us."""
    site, run = many
    assert run.count("wrong", "unreachable") == 1
    assert site.hosts["wrong"].record == []


def test_fleet_is_summed_up(many: tuple[Site, Run]) -> None:
    """The run ends with every host, those too that could not be reached, and the verb says the same from evidence."""
    site, run = many
    failed = len(MISFITS | FAILURES)
    says = f"Fleet of {len(site.hosts)}: fail; 2 unreachable, {failed} failed, 2 not up"
    assert says in run.text, run.text[-6000:]
    last = run.text[run.text.index(says) :]
    for words in ("off: Failed to connect to the host", "windows ping", "virtual: Virtualization: found off"):
        assert words in last, last
    document = json.loads((site.directory / "evidence" / "fleet.json").read_text())
    states = {machine["name"]: machine["state"] for machine in document["results"]["machines"]}
    assert states == dict.fromkeys(MISFITS | FAILURES, "failed") | {
        "off": "unreachable",
        "wrong": "unreachable",
        "short": "not up",
        "served": "not up",
    }
    assert document["provenance"] == "simulated"
    assert "off" in (site.directory / "evidence" / "fleet.html").read_text()
    verb = site.run("fleet")
    assert verb.code == 2, verb.text
    assert says in verb.text, verb.text
    assert "Pw-of-ready" not in verb.text


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
    with site_of(tmp_path, dict.fromkeys(names, "fresh-automatic")) as site:
        for name, lost in names.items():
            site.hosts[name].faults["lost_after"] = lost
        first = site.run("windows")
        assert first.code != 0
        assert [name for name in names if not (first.count(name, "unreachable") or first.count(name, "failed"))] == []
        assert {name: first.message(name) for name in names if "lost_after" in site.hosts[name].faults} == {}
        site.come_back()
        second = site.run("windows")
        assert second.code == 0, second.why()
        for host in site.hosts.values():
            made = host.changes()
            assert made.count(f"--import {DISTRO}") == 1, made
            assert made.count("win_reboot") == 1, made
            assert not [name for name in made if name.startswith("--unregister")]
        site.forget()
        third = site.run("windows")
        assert third.code == 0, third.why()
        for name in names:  # a run that changes nothing costs one script
            assert third.count(name, "changed") == 0, third.text[-4000:]
            assert [action.name for action in site.hosts[name].record] == ["windows_state"]
            assert sum(site.fleet.servers[name].trips.values()) <= 12, site.fleet.servers[name].trips
