# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Network paths to a service, measured side by side. Runs where the services are; needs the probes' environment."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..checks.probe import Probe, close_quietly
from ..common.concurrency import run_all
from ..host import network_namespace
from .runner import error_text
from .series import Series, brief
from .workload import Workload
from .workloads import WORKLOADS

#: Requests over each path before those that count.
WARM_UP = 10
#: Seconds for a connection that is probably filtered; a bridge on the same host answers within one.
_REACH = 1.0


def container_probe(probe: Probe, address: str) -> Probe:
    """Return a probe of the same service at the container's own address and ports."""
    ports = [{**port, "bind": address, "host": port["container"]} for port in probe.service["ports"]]
    other = type(probe)({**probe.service, "ports": ports}, probe.passwords, probe.timeout, probe.ca)
    other.check_names = False  # the certificate is for the names that applications use
    return other


class NetworkPath:
    """One network path to a service: its kept connection, and what was measured over it.

    Args:
        name: the service.
        probe: the service, at the address of this path.
        inside: a process whose network the path begins in; None means the host's.
    """

    def __init__(self, name: str, probe: Probe, inside: int | None = None) -> None:
        self.workload: Workload = WORKLOADS[name](probe)
        self.inside = inside
        #: The port that the driver speaks to is the first one of the definition.
        self.address = probe.address(probe.service["ports"][0]["name"])
        self.timeout = probe.timeout
        self.reason = ""
        self.connects, self.trips = Series(), Series()

    def open(self) -> None:
        """Open the kept connection; a path that leads nowhere says why."""
        try:
            with network_namespace.in_namespace_of(self.inside):
                socket.create_connection(self.address, min(self.timeout, _REACH)).close()
                self.workload.open()
                for _ in range(WARM_UP):
                    self.workload.round_trip()
        except Exception as error:  # reported
            self.reason = f"{self.address[0]} port {self.address[1]}: {error_text(error, self.workload.secrets)}"

    def _time(self, series: Series, request: Callable[[], object]) -> None:
        since = time.perf_counter_ns()
        try:
            request()
        except Exception as error:  # a miss, whatever it is
            series.miss(error_text(error, self.workload.secrets))
        else:
            series.hit(time.perf_counter_ns() - since)

    def measure(self) -> None:
        """Make one connection and one round trip."""
        if self.reason:
            return
        with network_namespace.in_namespace_of(self.inside):
            self._time(self.connects, lambda: socket.create_connection(self.address, self.timeout).close())
            self._time(self.trips, self.workload.round_trip)

    def figures(self) -> dict[str, Any]:
        """Return {address, port, reason, tcp_connect, round_trip}."""
        secrets = self.workload.secrets
        return {
            "address": self.address[0],
            "port": self.address[1],
            "reason": self.reason,
            "tcp_connect": brief(self.connects, secrets),
            "round_trip": brief(self.trips, secrets),
        }


def _unmeasured(reason: str, address: str | None = None, port: int | None = None) -> dict[str, Any]:
    empty = brief(Series())
    return {"address": address, "port": port, "reason": reason, "tcp_connect": empty, "round_trip": empty}


def _measure(name: str, published: Probe, running: Mapping[str, Mapping[str, Any]], samples: int) -> dict[str, Any]:
    address = running.get(name, {}).get("address")
    neighbour = next((its["pid"] for other, its in running.items() if other != name), None)
    paths = {"published": NetworkPath(name, published)}
    if address:
        paths["container"] = NetworkPath(name, container_probe(published, address))
    if address and neighbour:
        paths["inside"] = NetworkPath(name, container_probe(published, address), neighbour)
    try:
        for path in paths.values():
            path.open()
        for number in range(samples):
            # In turns, and none always first, so that what the host does meanwhile meets all.
            for path in list(paths.values()) if number % 2 else reversed(paths.values()):
                path.measure()
    finally:
        for path in paths.values():
            close_quietly(path.workload)
    why = "the container has no address in the stack's network, or does not run"
    return {
        "container": _unmeasured(why),
        "inside": _unmeasured("no other container of the stack runs" if address else why),
        **{which: path.figures() for which, path in paths.items()},
    }


def measure_paths(
    probes: Mapping[str, Probe], running: Mapping[str, Mapping[str, Any]], samples: int, deadline: float
) -> dict[str, dict[str, Any]]:
    """Return service -> {published, container, inside}, each {address, port, reason, tcp_connect, round_trip}.

    `published` and `container` begin on the host, `inside` in the network of another container of the stack. A TCP
    connection to a published port is answered by docker-proxy, whether the service is there or not; the round trip is
    the service's own.

    Args:
        probes: service -> its probe; they are measured one after another.
        running: what `readback.read_running` returned.
        samples: round trips and connections over each path.
        deadline: seconds for any one service.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, probe in probes.items():
        if name not in WORKLOADS:
            continue
        measured, _ = run_all({name: partial(_measure, name, probe, running, samples)}, deadline)
        found.update(measured)
        if name not in found:
            late = f"no answer within {deadline:g} s"
            beyond = _unmeasured(late, running.get(name, {}).get("address"))
            found[name] = {
                "published": _unmeasured(late, *probe.address(probe.service["ports"][0]["name"])),
                "container": beyond,
                "inside": beyond,
            }
    return found
