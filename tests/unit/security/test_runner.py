"""Where ports are scanned from, and which; that nobody answers is tried on a real stack."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import Any

from ready.security.network_exposure import answering, neighbour
from ready.security.runner import still_here, targets_of

from tests.unit.security.secure import ADDRESSES, ANY, container


def test_neighbours_do_not_meet() -> None:
    """Two runs at the same time have links of their own, in a range that hosts do not have."""
    places = [neighbour(number) for number in (1, 2, 2**15 - 1, 4_000_000)]
    networks = [ipaddress.IPv4Network(f"{place.own}/{place.prefix}", strict=False) for place in places]
    assert len(set(networks)) == 4
    for place, network in zip(places, networks, strict=True):
        assert {ipaddress.ip_address(place.own), ipaddress.ip_address(place.gateway)} == set(network.hosts())
        assert network.subnet_of(ipaddress.IPv4Network("198.18.0.0/15"))


def test_what_is_published_by_hand_is_tried_as_well(stack: dict[str, Any]) -> None:
    """Ports of the definition, of Docker, and of whatever listens in the container beyond loopback."""
    found = container(stack, "redis", "172.18.0.5")
    found["host_config"]["PortBindings"]["16379/tcp"] = [{"HostIp": ANY, "HostPort": "16379"}]
    found["sockets"] += [["tcp", ANY, 26379], ["udp", ANY, 5353], ["tcp", "127.0.0.1", 9]]
    targets = targets_of(stack, {"redis": found}, ADDRESSES)
    assert targets["redis"] == {
        "host": [(address, port) for address in ADDRESSES for port in (6379, 16379)],
        "container": [("172.18.0.5", 6379), ("172.18.0.5", 26379)],
    }


def test_a_container_that_could_not_be_read_is_tried_by_its_definition(stack: dict[str, Any]) -> None:
    """Its address is unknown then."""
    assert targets_of(stack, {}, ADDRESSES)["neo4j"] == {
        "host": [(address, port) for address in ADDRESSES for port in (7474, 7687)],
        "container": [],
    }


def test_one_that_slips_through_does_not_count() -> None:
    """What answers once and then no more is not open: Docker's firewall has gaps while it is put in order."""
    steady, once = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))

    def close_after_one() -> None:
        once.accept()[0].close()
        once.close()

    thread = threading.Thread(target=close_after_one)
    thread.start()
    with steady:
        open_one = steady.getsockname()
        assert answering([open_one, once.getsockname()], 1.0) == [open_one]
    thread.join()


def test_an_address_that_the_host_lost_is_not_its_own() -> None:
    """Another stack on the host was removed meanwhile, and its gateway with it."""
    assert still_here([("10.0.0.1", 1), ("172.23.0.1", 1)], {"172.23.0.1"}) == [("10.0.0.1", 1)]
    assert still_here(None, {"172.23.0.1"}) is None
