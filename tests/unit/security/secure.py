"""A stack that is as it should be, as `CheckRunner.security` finds it, for tests to make faults in."""

from __future__ import annotations

from datetime import date
from typing import Any

from ready.checks.make_probes import make_probes
from ready.common.check_result import CheckResult
from ready.common.clock import timestamp
from ready.evidence import document as evidence
from ready.security.probes import SECURITY_PROBES
from ready.security.verdicts import LEAKS, judge_security
from ready.stack.resolved import container_ports, containers, mounted_accounts, published_ports

ANY = "0.0.0.0"  # noqa: S104
TODAY = date(2026, 11, 24)
ADDRESSES = ["172.18.0.1", "192.0.2.2"]


def attempts(stack: dict[str, Any], name: str) -> list[dict[str, str]]:
    """Return every attempt on a service as refused."""
    passwords = dict.fromkeys(stack["services"][name]["accounts"], "x" * 32)
    tried = SECURITY_PROBES[name](make_probes(stack, {name: passwords}, 1.0)[name], dict).attempts()
    return [
        {"id": item.name, "title": item.title, "how": item.how, "expected": item.expected, "outcome": "refused"}
        | {"found": "permission denied"}
        for item in tried
    ]


def container(stack: dict[str, Any], name: str, address: str) -> dict[str, Any]:
    """Return what is read of a container that is as it should be."""
    service = containers(stack)[name]
    uid, _, gid = service["image"]["user"].partition(":")
    volumes = {volume["path"]: (volume["name"], True) for volume in service["volumes"]}
    volumes["/run/ready"] = (service["config_volume"], False)
    return {
        "host_config": {
            "Privileged": False,
            "CapAdd": None,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "ReadonlyRootfs": True,
            "Memory": service["limits"]["memory"],
            "NanoCpus": int(service["limits"]["cpus"] * 10**9),
            "PidsLimit": service["limits"]["pids"],
            "NetworkMode": "ready",
            "PidMode": "",
            "IpcMode": "private",
            "UTSMode": "",
            "UsernsMode": "",
            "CgroupParent": "",
            "Devices": None,
            "PortBindings": {
                f"{port['container']}/tcp": [{"HostIp": port["bind"], "HostPort": str(port["host"])}]
                for port in published_ports(service)
            },
            "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
        },
        "mounts": [
            {
                "Type": "volume",
                "Name": volume,
                "Source": f"/var/lib/docker/volumes/{volume}/_data",
                "Destination": path,
                "RW": writable,
                "Propagation": "",
            }
            for path, (volume, writable) in volumes.items()
        ],
        "apparmor": "",
        "has_health_test": True,
        "health": "healthy",
        "image": "sha256:2a81a8f10ab0cd15cfb3ebcaae90db67df4676ec6bb828b38855b4de6aa08be9",
        "image_from": "2619400844abeb1b",
        "networks": {"ready": {"address": address, "address6": ""}},
        "files": [
            {"path": path, "mode": "0400", "owner": service["image"]["user"]}
            for path in ["accounts.id", *(f"secrets/{account}" for account in mounted_accounts(service))]
        ],
        "kernel": {
            "Uid": "\t".join([uid] * 4),
            "Gid": "\t".join([gid] * 4),
            **dict.fromkeys(("CapEff", "CapBnd", "CapPrm"), "0000000000000000"),
            "NoNewPrivs": "1",
            "Seccomp": "2",
        },
        "sockets": [["tcp", "127.0.0.11", 45645]] + [["tcp", ANY, port] for port in sorted(container_ports(service))],
        "root_write": "refused",
    }


def well(stack: dict[str, Any]) -> dict[str, Any]:
    """Return what `CheckRunner.security` finds on a stack that is as it should be."""
    services = {}
    for number, (name, service) in enumerate(containers(stack).items(), 2):
        address = f"172.18.0.{number}"
        services[name] = {
            "container": container(stack, name, address),
            "container_fault": "",
            "attempts": attempts(stack, name) if name in stack["services"] else [],
            "attempts_fault": "",
            "targets": {
                "host": [[host, port["host"]] for host in ADDRESSES for port in published_ports(service)],
                "container": [[address, port] for port in sorted(container_ports(service))],
            },
        }
    return {
        "services": services,
        "host": {
            "addresses": ADDRESSES,
            "listening": [["tcp", ANY, 22]]
            + [["tcp", p["bind"], p["host"]] for its in stack["services"].values() for p in its["ports"]],
            "apparmor": False,
            "docker_version": "20.10.24",
        },
        "outside": {place: {"answered": [], "fault": ""} for place in ("neighbour", "container")},
        "leaks": {place: {"looked": "4 of them", "found": []} for place in LEAKS},
        "passwords": sum(len(service["accounts"]) for service in stack["services"].values()),
        "seconds": 1.9,
    }


def judged(stack: dict[str, Any], found: dict[str, Any], today: date = TODAY) -> CheckResult:
    """Return the part, after its results were held against the schema."""
    result = judge_security(stack, found, today)
    document = evidence.make("security", "ready", "pc1", result.verdict, result.results, timestamp())
    assert evidence.check(document) == []
    return result


def check(result: CheckResult, service: str, name: str) -> dict[str, Any]:
    """Return one check."""
    (found,) = [item for item in result.results["checks"] if (item["service"], item["id"]) == (service, name)]
    return dict(found)


def with_verdict(result: CheckResult, verdict: str) -> set[tuple[str, str]]:
    """Return service and id of the checks of a verdict."""
    return {(item["service"], item["id"]) for item in result.results["checks"] if item["verdict"] == verdict}
