# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything that `CheckRunner.security` finds out about a stack, at once. Runs where Docker and the services are."""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from docker.errors import DockerException

from ..checks.probe import Probe
from ..common.concurrency import run_all
from ..docker.state import connect
from ..host.sockets import listening, open_beyond_loopback, own_addresses
from ..secrets.search import Search
from ..stack.resolved import container_ports, published_ports
from ..stack.resolved import containers as everything
from . import container_facts, secret_search
from .network_exposure import OtherNetwork, Target, neighbour, scan
from .probes import SECURITY_PROBES

_PROC = Path("/proc/net")
#: What is searched in one go -> the places that it gives.
_SEARCHED = {"containers": ("inspect", "logs", "images"), "processes": ("processes",), "files": ("files",)}


def targets_of(
    stack: Mapping[str, Any], containers: Mapping[str, Mapping[str, Any]], addresses: Sequence[str]
) -> dict[str, dict[str, list[Target]]]:
    """Return service -> {host, container} -> the ports that are scanned from outside.

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
        outer = {int(port["host"]) for port in published_ports(service)} | {
            int(binding["HostPort"]) for ports in bindings for binding in ports or [] if binding["HostPort"]
        }
        inner = container_ports(service) | {
            port for proto, _, port in open_beyond_loopback(map(tuple, container.get("sockets", []))) if proto == "tcp"
        }
        own = [its["address"] for its in container.get("networks", {}).values() if its["address"]]
        found[name] = {
            "host": [(address, port) for address in addresses for port in sorted(outer)],
            "container": [(address, port) for address in own for port in sorted(inner)],
        }
    return found


def _container(stack: str, service: Mapping[str, Any]) -> dict[str, Any]:
    return container_facts.read_container(connect(), stack, service)


def _own_addresses() -> list[str]:
    if_inet6 = _PROC / "if_inet6"
    return own_addresses((_PROC / "fib_trie").read_text(), if_inet6.read_text() if if_inet6.exists() else "")


def still_here(answered: Sequence[Target] | None, gone: Collection[str]) -> list[Target] | None:
    """Return what answered, without addresses that the host had and lost: somebody else answers there.

    Docker gives and takes a network's gateway whenever a stack on the host comes or goes.
    """
    return None if answered is None else [target for target in answered if target[0] not in gone]


def _outside(stack: str, targets: Sequence[Target], place: str) -> list[Target]:
    if place == "neighbour":
        return scan(neighbour(secrets.randbelow(2**15)), targets)
    with OtherNetwork(connect(), stack) as other:
        return scan(other, targets)


def read_security(stack: Mapping[str, Any], probes: Mapping[str, Probe], deadline: float) -> dict[str, Any]:
    """Return all that was found out; `verdicts.judge_security` says what of it is wrong.

    Args:
        stack: the resolved stack.
        probes: service -> its probe.
        deadline: seconds for each of the two halves, the containers and everything else.

    Raises EngineError when Docker does not answer.
    """
    started = time.monotonic()
    client = connect()
    services, name = everything(stack), stack["name"]
    elsewhere = [key for key in stack.get("external", {}) if key in probes]
    containers, container_faults = run_all(
        {key: partial(_container, name, its) for key, its in services.items()}, deadline
    )
    with suppress(DockerException):  # the scan from there tries it again, and reports it
        # Its gateway is an address of this host; once it is gone, whoever the host's router finds may answer there.
        OtherNetwork(client, name).clear()
    search = Search(stack, {key: probe.passwords for key, probe in probes.items()})
    addresses = _own_addresses()
    targets = targets_of(stack, containers, addresses)
    # The second namespace has no IPv6; that nothing listens there beyond loopback, the host's table says.
    reachable = [
        target
        for its in targets.values()
        for kind in its.values()
        for target in kind
        if ipaddress.ip_address(target[0]).version == 4
    ]

    def probe(key: str) -> list[dict[str, str]]:
        if key not in services:  # somebody else's server: it has no files here
            return SECURITY_PROBES[key](probes[key], dict).run()
        files = partial(container_facts.read_configuration, connect(), name, services[key])
        return SECURITY_PROBES[key](probes[key], files).run()

    calls: dict[tuple[str, str], Callable[[], Any]] = {
        **{("attempts", key): partial(probe, key) for key in [*stack["services"], *elsewhere]},
        **{("outside", place): partial(_outside, name, reachable, place) for place in ("neighbour", "container")},
        ("leaks", "containers"): lambda: secret_search.search_containers(connect(), name, search),
        ("leaks", "processes"): lambda: secret_search.search_processes(search),
        ("leaks", "files"): lambda: secret_search.search_files(stack, search),
    }
    done, faults = run_all(calls, deadline)
    gone = set(addresses) - set(_own_addresses())
    tables = "".join((_PROC / kind).read_text() for kind in ("tcp", "tcp6", "udp", "udp6") if (_PROC / kind).exists())
    leaks: dict[str, Any] = {}
    for kind, places in _SEARCHED.items():
        fault = faults.get(("leaks", kind), "")
        leaks |= done.get(("leaks", kind)) or {place: {"fault": fault} for place in places}
    return {
        "services": {
            key: {
                "container": containers.get(key),
                "container_fault": container_faults.get(key, ""),
                "attempts": done.get(("attempts", key), []),
                "attempts_fault": faults.get(("attempts", key), ""),
                "targets": targets.get(key, {"host": [], "container": []}),
            }
            for key in [*services, *stack.get("external", {})]
        },
        "host": {
            "addresses": addresses,
            "listening": [list(item) for item in listening(tables)],
            "apparmor": any("apparmor" in option for option in client.info().get("SecurityOptions") or []),
            "docker_version": client.version()["Version"],
        },
        "outside": {
            place: {
                "answered": still_here(done.get(("outside", place)), gone),
                "fault": faults.get(("outside", place), ""),
            }
            for place in ("neighbour", "container")
        },
        "leaks": leaks,
        "passwords": search.secrets,
        "seconds": round(time.monotonic() - started, 3),
    }
