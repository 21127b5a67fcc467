# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything that `stack_security` finds out about a stack, at once. Runs where Docker and the services are."""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from docker.errors import DockerException

from . import hardening
from .attacks import ATTACKS
from .container import containers as everything
from .engine import connect
from .leaks import Search
from .outsider import OtherNetwork, Target, look, neighbour
from .services.base import Probe
from .sockets import listening, open_beyond_loopback, own_addresses
from .together import together

#: What is searched in one go -> the places that it gives.
_SEARCHED = {"containers": ("inspect", "logs", "images"), "processes": ("processes",), "files": ("files",)}


def targets_of(
    stack: Mapping[str, Any], containers: Mapping[str, Mapping[str, Any]], addresses: Sequence[str]
) -> dict[str, dict[str, list[Target]]]:
    """Return service -> {host, container} -> what an outsider knocks at.

    Args:
        stack: the resolved stack.
        containers: service -> what `read_container` found; services whose container can't be read are absent.
        addresses: the host's own addresses.

    The published ports are those of the inventory and those that Docker really publishes; the container's are those of
    the definition and those that something listens on.
    """
    found = {}
    for name, service in everything(stack).items():
        container = containers.get(name, {})
        bindings = (container.get("host_config", {}).get("PortBindings") or {}).values()
        published = {int(port["host"]) for port in service["ports"]} | {
            int(binding["HostPort"]) for ports in bindings for binding in ports or [] if binding["HostPort"]
        }
        inside = {int(port["container"]) for port in service["ports"]} | {
            port for proto, _, port in open_beyond_loopback(map(tuple, container.get("sockets", []))) if proto == "tcp"
        }
        own = [its["address"] for its in container.get("networks", {}).values() if its["address"]]
        found[name] = {
            "host": [(address, port) for address in addresses for port in sorted(published)],
            "container": [(address, port) for address in own for port in sorted(inside)],
        }
    return found


def _container(stack: str, service: Mapping[str, Any]) -> dict[str, Any]:
    return hardening.read_container(connect(), stack, service)


def _outside(stack: str, targets: Sequence[Target], place: str) -> list[Target]:
    if place == "neighbour":
        return look(neighbour(secrets.randbelow(2**15)), targets)
    with OtherNetwork(connect(), stack) as other:
        return look(other, targets)


def read_security(stack: Mapping[str, Any], probes: Mapping[str, Probe], deadline: float) -> dict[str, Any]:
    """Return all that was found out; `security.judge` says what of it is wrong.

    Args:
        stack: the resolved stack.
        probes: service -> its probe.
        deadline: seconds for each of the two halves, the containers and everything else.

    Raises EngineError when Docker does not answer.
    """
    started = time.monotonic()
    client = connect()
    services, name = everything(stack), stack["name"]
    containers, container_faults = together(
        {key: partial(_container, name, its) for key, its in services.items()}, deadline
    )
    with suppress(DockerException):  # said by the look from there, which tries it again
        # Its gateway is an address of this host; once it is gone, whoever the host's router finds may answer there.
        OtherNetwork(client, name).clear()
    search = Search(stack, {key: probe.passwords for key, probe in probes.items()})
    proc = Path("/proc/net")
    if_inet6 = proc / "if_inet6"
    addresses = own_addresses((proc / "fib_trie").read_text(), if_inet6.read_text() if if_inet6.exists() else "")
    targets = targets_of(stack, containers, addresses)
    # The second namespace has no IPv6; that nothing listens there beyond loopback, the host's table says.
    reachable = [
        target
        for its in targets.values()
        for kind in its.values()
        for target in kind
        if ipaddress.ip_address(target[0]).version == 4
    ]

    def attack(key: str) -> list[dict[str, str]]:
        files = partial(hardening.read_configuration, connect(), name, services[key])
        return ATTACKS[key](probes[key], files).run()

    calls: dict[tuple[str, str], Callable[[], Any]] = {
        **{("attacks", key): partial(attack, key) for key in stack["services"]},
        **{("outside", place): partial(_outside, name, reachable, place) for place in ("neighbour", "container")},
        ("leaks", "containers"): lambda: hardening.search_containers(connect(), name, search),
        ("leaks", "processes"): lambda: hardening.search_processes(search),
        ("leaks", "files"): lambda: hardening.search_files(stack, search),
    }
    done, faults = together(calls, deadline)
    tables = "".join((proc / kind).read_text() for kind in ("tcp", "tcp6", "udp", "udp6") if (proc / kind).exists())
    leaks: dict[str, Any] = {}
    for kind, places in _SEARCHED.items():
        fault = faults.get(("leaks", kind), "")
        leaks |= done.get(("leaks", kind)) or {place: {"fault": fault} for place in places}
    return {
        "services": {
            key: {
                "container": containers.get(key),
                "container_fault": container_faults.get(key, ""),
                "attacks": done.get(("attacks", key), []),
                "attacks_fault": faults.get(("attacks", key), ""),
                "targets": targets[key],
            }
            for key in services
        },
        "host": {
            "addresses": addresses,
            "listening": [list(item) for item in listening(tables)],
            "apparmor": any("apparmor" in option for option in client.info().get("SecurityOptions") or []),
            "docker_version": client.version()["Version"],
        },
        "outside": {
            place: {"answered": done.get(("outside", place)), "fault": faults.get(("outside", place), "")}
            for place in ("neighbour", "container")
        },
        "leaks": leaks,
        "passwords": search.secrets,
        "seconds": round(time.monotonic() - started, 3),
    }
