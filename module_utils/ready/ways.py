# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ways to a service, measured side by side. Runs where the services are; needs the probes' environment."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from .measuring import WORKLOADS, told
from .series import Series, brief
from .services.base import Probe
from .workloads.base import Workload

#: Requests over each way before those that count.
WARM_UP = 20
#: Seconds for a connection that is probably filtered; a bridge on the same host answers within one.
_REACH = 1.0


def beside(probe: Probe, address: str) -> Probe:
    """Return a probe of the same service at the container's own address and ports."""
    ports = [{**port, "bind": address, "host": port["container"]} for port in probe.service["ports"]]
    other = type(probe)({**probe.service, "ports": ports}, probe.passwords, probe.timeout, probe.ca)
    other.check_names = False  # the certificate is for the names that applications use
    return other


class Way:
    """One way to a service: its kept connection, and what was measured over it."""

    def __init__(self, name: str, probe: Probe) -> None:
        self.workload: Workload = WORKLOADS[name](probe)
        #: The port that the driver speaks to is the first one of the definition.
        self.address = probe.address(probe.service["ports"][0]["name"])
        self.timeout = probe.timeout
        self.reason = ""
        self.connects, self.trips = Series(), Series()

    def open(self) -> None:
        """Open the kept connection; a way that can't be gone says why."""
        try:
            socket.create_connection(self.address, min(self.timeout, _REACH)).close()
            self.workload.open()
            for _ in range(WARM_UP):
                self.workload.round_trip()
        except Exception as error:  # reported
            self.reason = f"{self.address[0]} port {self.address[1]}: {told(error, self.workload.secrets)}"

    def _time(self, series: Series, request: Callable[[], object]) -> None:
        since = time.perf_counter_ns()
        try:
            request()
        except Exception as error:  # a miss, whatever it is
            series.miss(told(error, self.workload.secrets))
        else:
            series.hit(time.perf_counter_ns() - since)

    def go(self) -> None:
        """Make one connection and one round trip."""
        if self.reason:
            return
        self._time(self.connects, lambda: socket.create_connection(self.address, self.timeout).close())
        self._time(self.trips, self.workload.round_trip)

    def told(self) -> dict[str, Any]:
        """Return {address, port, reason, tcp_connect, round_trip}."""
        secrets = self.workload.secrets
        return {
            "address": self.address[0],
            "port": self.address[1],
            "reason": self.reason,
            "tcp_connect": brief(self.connects, secrets),
            "round_trip": brief(self.trips, secrets),
        }


def _measure(name: str, published: Probe, address: str | None, samples: int) -> dict[str, Any]:
    ways = [Way(name, published)]
    if address:
        ways.append(Way(name, beside(published, address)))
    try:
        for way in ways:
            way.open()
        for number in range(samples):
            # In turns, and neither always first, so that what the host does meanwhile meets both.
            for way in ways if number % 2 else reversed(ways):
                way.go()
    finally:
        for way in ways:
            way.workload.close()
    found = {"published": ways[0].told()}
    if address:
        return found | {"container": ways[1].told()}
    empty = brief(Series())
    reason = "the container has no address in the stack's network, or does not run"
    return found | {
        "container": {"address": None, "port": None, "reason": reason, "tcp_connect": empty, "round_trip": empty}
    }


def measure_ways(
    probes: Mapping[str, Probe], addresses: Mapping[str, str | None], samples: int, deadline: float
) -> dict[str, dict[str, Any]]:
    """Return service -> {published, container}, each {address, port, reason, tcp_connect, round_trip}.

    A TCP connection to a published port is answered by docker-proxy, whether the service is there or not; the round
    trip is the service's own.

    Args:
        probes: service -> its probe; they are measured one after another.
        addresses: service -> the container's address in the stack's network, None where there is none.
        samples: round trips and connections over each way.
        deadline: seconds for any one service.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, probe in probes.items():
        if name not in WORKLOADS:
            continue
        thread = threading.Thread(
            target=lambda name=name, probe=probe: found.update(
                {name: _measure(name, probe, addresses.get(name), samples)}
            ),
            daemon=True,
        )
        thread.start()
        thread.join(deadline)
        if name not in found:
            host, port = probe.address(probe.service["ports"][0]["name"])
            empty = brief(Series())
            late = {
                "address": host,
                "port": port,
                "reason": f"no answer within {deadline:g} s",
                "tcp_connect": empty,
                "round_trip": empty,
            }
            found[name] = {"published": late, "container": {**late, "address": addresses.get(name), "port": None}}
    return found
