# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What somebody else on the network can reach: connections from a second network namespace. Needs root and iproute2.

A thread of this process gets a separate network namespace, joined to the host by a pair of virtual interfaces. The
kernel removes namespace and interfaces when the thread ends, however it ends: an interrupted run leaves nothing.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import selectors
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_STACK
from ..host import network_namespace

if TYPE_CHECKING:
    from docker import DockerClient

#: Seconds within which a port that is open on the same machine answers.
PATIENCE = 1.0
#: Seconds that Docker needs at most to put its rules back, on a busy machine.
_MOMENT = 0.3
#: Seconds until a link that has just been made carries something, on a busy machine.
_LINK = 5.0
#: For measurements of networks (RFC 2544), so no host has addresses in it.
_RANGE = ipaddress.ip_network("198.18.0.0/15")

Target = tuple[str, int]


class PortScanError(Exception):
    """There is no second network namespace to scan from; the message says why."""


@dataclass(frozen=True)
class VantagePoint:
    """Where ports are scanned from.

    Attributes:
        name: "neighbour" (a machine on the host's own link, with the host as its router) or "container" (a container
            on another Docker network).
        gateway: the host's address there.
        own: the scanner's.
        prefix: length of the network's prefix.
        bridge: the host's bridge that the scanner is on; none for its own link.
    """

    name: str
    gateway: str
    own: str
    prefix: int
    bridge: str | None = None


def neighbour(number: int) -> VantagePoint:
    """Return a point on its own link; scans at the same time, or soon after each other, differ by `number`."""
    network = list(ipaddress.ip_network((int(_RANGE.network_address) + number % 2**15 * 4, 30)).hosts())
    return VantagePoint("neighbour", str(network[0]), str(network[1]), 30)


def _ip(lines: Iterable[str], namespace: str | None = None) -> None:
    command = ["ip", "-batch", "-"]
    if namespace:
        command = ["nsenter", f"--net={namespace}", *command]
    try:
        done = subprocess.run(  # noqa: S603
            command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=10, check=False
        )
    except OSError as error:
        raise PortScanError(f"{command[0]} can't be run here ({error}). Next: apt-get install iproute2") from error
    if done.returncode != 0:
        raise PortScanError(f"ip: {done.stderr.strip().splitlines()[0]}")


def _interfaces() -> tuple[str, str]:
    """Return the names of the calling thread's pair: the end in its namespace, and the host's."""
    return f"rdyi{threading.get_native_id()}", f"rdyo{threading.get_native_id()}"


def _enter(point: VantagePoint) -> None:
    """Give the calling thread its own namespace, joined to the host at `point`."""
    network_namespace.unshare()
    inner, outer = _interfaces()
    # A child of this thread is in the new namespace; process 1's thread group stays in the host's.
    _ip(
        [
            f"link add {inner} type veth peer name {outer} netns {os.getpid()}",
            f"addr add {point.own}/{point.prefix} dev {inner}",
            f"link set {inner} up",
            "link set lo up",
        ]
    )
    joined = f"master {point.bridge} " if point.bridge else ""
    address = [] if point.bridge else [f"addr add {point.gateway}/{point.prefix} dev {outer}"]
    _ip([*address, f"link set {outer} {joined}up"], f"/proc/{os.getpid()}/ns/net")
    _ip([f"route add default via {point.gateway}"])


def _connect_all(targets: Sequence[Target], patience: float) -> list[Target]:
    """Return the targets that accept a connection; all are tried at once."""
    selector = selectors.DefaultSelector()
    waiting: dict[socket.socket, Target] = {}
    answered = []
    try:
        for target in targets:
            family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
            connection = socket.socket(family)
            connection.setblocking(False)
            # Reset when closed: a connection that says goodbye would keep the namespace for another minute.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            code = connection.connect_ex(target)
            if code == errno.EINPROGRESS:
                waiting[connection] = target
                selector.register(connection, selectors.EVENT_WRITE)
            else:
                answered += [target] if code == 0 else []
                connection.close()
        ends = time.monotonic() + patience
        while waiting and (left := ends - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                connection = key.fileobj  # type: ignore[assignment]
                if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    answered.append(waiting[connection])
                selector.unregister(connection)
                del waiting[connection]
                connection.close()
    finally:
        for connection in waiting:
            connection.close()
        selector.close()
    return answered


def answering(targets: Sequence[Target], patience: float) -> list[Target]:
    """Return the targets that accept a connection, and accept another one a moment later.

    Docker takes its firewall's rules out and puts them back whenever a network is made, anybody's: a connection that
    slips through then tells nothing about the rules.
    """
    answered = _connect_all(targets, patience)
    if answered:
        time.sleep(_MOMENT)
    return _connect_all(answered, patience)


def _gateway_known(gateway: str) -> bool:
    """Return whether the gateway has answered for its address: else the scan reached nothing at all."""
    table = Path("/proc/thread-self/net/arp").read_text(encoding="ascii").splitlines()[1:]
    return any(line.split()[0] == gateway and line.split()[3] != "00:00:00:00:00:00" for line in table)


def _await_gateway(point: VantagePoint) -> None:
    """Try until the gateway is known. Raises PortScanError."""
    with suppress(OSError):  # a lost first question is asked again at once, not after a second
        Path(f"/proc/sys/net/ipv4/neigh/{_interfaces()[0]}/retrans_time_ms").write_text("50", encoding="ascii")
    ends = time.monotonic() + _LINK
    while not _gateway_known(point.gateway):
        if time.monotonic() > ends:
            raise PortScanError(f"the second network namespace can't reach its gateway {point.gateway}")
        _connect_all([(point.gateway, 9)], 0.05)


def scan(point: VantagePoint, targets: Sequence[Target], patience: float = PATIENCE) -> list[Target]:
    """Return the targets that answer at `point`. Raises PortScanError where there is no such point."""
    outcome: list[list[Target] | PortScanError] = []

    def run() -> None:
        try:
            _enter(point)
            _await_gateway(point)
            answered = answering(targets, patience)
            outcome.append([target for target in targets if target in answered])
            _ip([f"link delete {_interfaces()[0]}"])  # the kernel would do it as well, a while after the thread's end
        except PortScanError as error:
            outcome.append(error)
        except (OSError, subprocess.SubprocessError) as error:
            outcome.append(PortScanError(f"no second network namespace: {error}"))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if isinstance(outcome[0], PortScanError):
        raise outcome[0]
    return outcome[0]


class OtherNetwork:
    """A Docker network that nobody else is on, as a context; what an interrupted run left is removed first."""

    def __init__(self, client: DockerClient, stack: str) -> None:
        self._client, self._stack = client, stack
        self._name = f"{stack}-outsider"
        self._network: Any = None

    def _mine(self) -> list[Any]:
        found = self._client.networks.list(names=[self._name], filters={"label": f"{LABEL_STACK}={self._stack}"})
        return [item for item in found if item.name == self._name]

    def clear(self) -> None:
        """Remove what an interrupted run left. Raises what Docker says."""
        for leftover in self._mine():
            leftover.remove()

    def __enter__(self) -> VantagePoint:
        self.clear()
        self._network = self._client.networks.create(self._name, driver="bridge", labels={LABEL_STACK: self._stack})
        self._network.reload()
        settings = self._network.attrs["IPAM"]["Config"][0]
        subnet = ipaddress.ip_network(settings["Subnet"])
        bridge = f"br-{self._network.id[:12]}"
        if not Path("/sys/class/net", bridge).exists():
            self.__exit__()
            raise PortScanError(f"the daemon's bridge {bridge} is not on this machine: Docker runs elsewhere")
        return VantagePoint("container", settings["Gateway"], str(subnet[-2]), subnet.prefixlen, bridge)

    def __exit__(self, *_: object) -> None:
        self._network.remove()
