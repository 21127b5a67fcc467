"""What every container must be: each check is seen failing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ready.security.container_checks import CHECKS

from tests.unit.security.secure import ANY, check, judged, well, with_verdict

Change = Callable[[dict[str, Any]], None]


def setting(*path: Any) -> Change:
    """Return a change of Redis's container: the last of `path` is the value."""

    def change(its: dict[str, Any]) -> None:
        place: Any = its
        for key in path[:-2]:
            place = place[key]
        place[path[-2]] = path[-1]

    return change


def mount(**keys: Any) -> Change:
    """Return a change of Redis's container: another mount."""
    bind = {"Type": "bind", "Name": None, "Source": "/srv", "Destination": "/x", "RW": True, "Propagation": "rprivate"}
    return lambda its: its["mounts"].append(bind | keys)


BINDINGS = ("host_config", "PortBindings", "6379/tcp")
FAULTS: list[tuple[str, Change, str]] = [
    ("4.1", setting("kernel", "Uid", "0\t0\t0\t0"), "uid 0"),
    ("4.1", setting("kernel", "Uid", "999\t0\t999\t999"), "uid 999 0"),
    ("5.4", setting("kernel", "CapEff", "0000000000002000"), "CapEff 0000000000002000"),
    ("5.4", setting("kernel", "CapBnd", "0000000000002000"), "CapBnd 0000000000002000"),
    ("5.4", setting("host_config", "CapAdd", ["NET_RAW"]), "added NET_RAW"),
    ("5.5", setting("host_config", "Privileged", True), "True"),
    ("5.6", mount(Source="/etc"), "bind /etc at /x"),
    ("5.6", setting("mounts", 0, "Name", "another_data"), "at /data"),
    ("5.8", setting(*BINDINGS, [{"HostIp": "127.0.0.1", "HostPort": "80"}]), "80"),
    ("5.9", setting("sockets", [["tcp", ANY, 6379], ["tcp", ANY, 16379]]), "tcp 0.0.0.0:16379"),
    ("5.9", setting("sockets", [["tcp", ANY, 6379], ["udp", "::", 5353]]), "udp [::]:5353"),
    ("5.9", setting("sockets", []), "none"),
    ("5.10", setting("host_config", "NetworkMode", "host"), "host"),
    ("5.10", setting("host_config", "NetworkMode", "container:abc"), "container:abc"),
    ("5.11", setting("host_config", "Memory", 0), "0"),
    ("5.12", setting("host_config", "NanoCpus", 0), "0.0"),
    ("5.13", setting("host_config", "ReadonlyRootfs", False), "ReadonlyRootfs False"),
    ("5.13", setting("root_write", "written"), "a write by root was written"),
    ("5.14", setting(*BINDINGS, [{"HostIp": ANY, "HostPort": "6379"}]), "tcp 0.0.0.0:6379"),
    ("5.14", setting(*BINDINGS, [{"HostIp": "", "HostPort": "6379"}]), "tcp 0.0.0.0:6379"),
    ("5.14", setting(*BINDINGS, [{"HostIp": "192.0.2.2", "HostPort": "6379"}]), "tcp 192.0.2.2:6379"),
    ("5.16", setting("host_config", "PidMode", "host"), "host"),
    ("5.17", setting("host_config", "IpcMode", "host"), "host"),
    ("5.17", setting("host_config", "IpcMode", "container:abc"), "container:abc"),
    ("5.18", setting("host_config", "Devices", [{"PathOnHost": "/dev/kmsg"}]), "/dev/kmsg"),
    ("5.20", mount(Propagation="rshared"), "/x"),
    ("5.21", setting("host_config", "UTSMode", "host"), "host"),
    ("5.22", setting("kernel", "Seccomp", "0"), "Seccomp 0"),
    ("5.22", setting("host_config", "SecurityOpt", ["seccomp=unconfined"]), "Seccomp 2"),
    ("5.25", setting("host_config", "CgroupParent", "/other"), "/other"),
    ("5.26", setting("kernel", "NoNewPrivs", "0"), "NoNewPrivs 0"),
    ("5.27", setting("has_health_test", False), "none"),
    ("5.29", setting("host_config", "PidsLimit", None), "0"),
    ("5.30", setting("networks", "bridge", {"address": "172.17.0.2"}), "bridge"),
    ("5.31", setting("host_config", "UsernsMode", "host"), "host"),
    ("5.32", mount(Source="/var/run/docker.sock"), "/var/run/docker.sock"),
    ("image", setting("image", "redis:7"), "redis:7"),
    ("secret_files", setting("files", 1, "mode", "0444"), "secrets/admin 0444 999:1000"),
    ("secret_files", setting("files", 2, "owner", "0:0"), "secrets/app 0400 0:0"),
    ("secret_files", lambda its: its["files"].pop(), "no secrets/backup"),
    ("secrets_mount", setting("mounts", 1, "RW", True), "read-write"),
]


@pytest.mark.parametrize(("name", "change", "text"), FAULTS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_fault_of_a_container(stack: dict[str, Any], name: str, change: Change, text: str) -> None:
    """It fails under its id, says what was found, and what to do next; other services are as they were."""
    found = well(stack)
    change(found["services"]["redis"]["container"])
    part = judged(stack, found)
    assert part.verdict == "fail"
    failed = check(part, "redis", name)
    assert (failed["verdict"], failed["cis"]) == ("fail", name if name[0].isdigit() else None)
    assert text in failed["found"]
    assert {service for service, _ in with_verdict(part, "fail")} == {"redis"}
    assert any(row["check"] == name and text in row["detail"] for row in part.rows)
    assert any(f"container of redis what the inventory says ({name})" in line for line in part.next)


def test_every_check_has_been_seen_failing() -> None:
    """Beside restart policy and AppArmor, which have tests of their own."""
    assert {check.id for check in CHECKS} == {name for name, _, _ in FAULTS} | {"5.2", "5.15"}


def test_apparmor_counts_where_the_host_has_it(stack: dict[str, Any]) -> None:
    """Without a profile it fails there."""
    found = well(stack)
    found["host"]["apparmor"] = True
    found["services"]["redis"]["container"]["apparmor"] = "docker-default"
    found["services"]["neo4j"]["container"]["apparmor"] = "unconfined"
    part = judged(stack, found)
    assert check(part, "redis", "5.2")["verdict"] == "pass"
    assert check(part, "neo4j", "5.2")["verdict"] == check(part, "chromadb", "5.2")["verdict"] == "fail"


def test_restart_policy(stack: dict[str, Any]) -> None:
    """CIS wants on-failure:5 at most; then no waiver is needed."""
    found = well(stack)
    policy = found["services"]["redis"]["container"]["host_config"]["RestartPolicy"]
    policy.update(Name="on-failure", MaximumRetryCount=5)
    done = check(judged(stack, found), "redis", "5.15")
    assert (done["verdict"], done["found"], done["waiver"]["state"]) == ("pass", "on-failure:5", "not needed")
    stack["services"]["redis"]["waivers"] = []
    policy.update(Name="on-failure", MaximumRetryCount=0)
    assert check(judged(stack, found), "redis", "5.15")["verdict"] == "fail"
