"""No client asks a proxy of the environment for a service, nor shows it a token."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

import pytest
from ready.checks.make_probes import make_probes
from ready.docker.state import connect
from ready.secrets.certificates import make_authority
from ready.security.probes import SECURITY_PROBES

from tests.unit.conftest import resolved_stack

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
Probes = dict[str, Any]


class Listener:
    """A port that notes who connects, and hangs up."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.socket.getsockname()[1]
        self.heard: list[bytes] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.heard.append(b"")
                with connection, suppress(OSError):
                    connection.settimeout(1)
                    self.heard[-1] = connection.recv(4096)


@pytest.fixture
def listeners() -> Iterator[tuple[Listener, Listener]]:
    """Return a service and a proxy."""
    both = Listener(), Listener()
    yield both
    for its in both:
        its.socket.close()


CALLS: dict[str, Callable[[Probes], object]] = {
    "ChromaDB's client": lambda probes: probes["chromadb"].connect(),
    "ChromaDB's health": lambda probes: probes["chromadb"].open().get("/api/v2/healthcheck"),
    "the gateway's client": lambda probes: probes["gateway"].connect(),
    "the gateway's health": lambda probes: probes["gateway"].open().get("/api/v2/healthcheck"),
    "the gateway's checks": lambda probes: probes["gateway"].heartbeat(),
    "Neo4j's page": lambda probes: probes["neo4j"].http(),
    "Neo4j's driver": lambda probes: probes["neo4j"].connect("app").verify_connectivity(),
    "Redis": lambda probes: probes["redis"].connect("app").ping(),
    "PostgreSQL": lambda probes: probes["postgresql"].connect("app"),
    "the AI service's models": lambda probes: probes["ai"].open().get(probes["ai"].url("/models")),
    "the AI service's client": lambda probes: probes["ai"].connect().models.list(),
    "the security probe of ChromaDB": lambda probes: SECURITY_PROBES["chromadb"](probes["chromadb"], dict).run(),
    "the security probe of the gateway": lambda probes: SECURITY_PROBES["gateway"](probes["gateway"], dict).run(),
    "the security probe of the AI service": lambda probes: SECURITY_PROBES["ai"](probes["ai"], dict).run(),
}


def probes_of(service: Listener, address: str) -> Probes:
    """Return probes of a stack whose every port is the listener's."""
    stack = resolved_stack(
        ready_services=["postgresql", "neo4j", "chromadb", "gateway", "redis", "ai"], ready_bind_address=address
    )
    for its in stack["services"].values():
        for port in its["ports"]:
            port["host"] = service.port
    passwords = {its: dict.fromkeys(what["accounts"], "s3cret") for its, what in stack["services"].items()}
    authority = make_authority("ready", datetime.now(timezone.utc)).certificate
    return make_probes(stack, passwords, 1.0, {"gateway": authority})


@pytest.mark.parametrize("kind", ["http", "socks5h"])
@pytest.mark.parametrize("name", CALLS)
def test_a_service_is_asked_itself(
    name: str, kind: str, listeners: tuple[Listener, Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment says; that nothing answers there is no matter."""
    service, proxy = listeners
    for variable in NAMES:
        for spelt in (variable, variable.lower()):
            monkeypatch.setenv(spelt, f"{kind}://127.0.0.1:{proxy.port}")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    with suppress(Exception):
        CALLS[name](probes_of(service, "127.0.0.1"))
    assert service.heard
    assert proxy.heard == []


@pytest.mark.parametrize("name", CALLS)
def test_a_service_on_an_ipv6_address(name: str) -> None:
    """Every client finds it."""
    service = Listener("::1")
    with suppress(Exception):
        CALLS[name](probes_of(service, "::1"))
    service.socket.close()
    assert service.heard


def test_a_daemon_on_loopback(listeners: tuple[Listener, Listener], monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker's own client never asks a proxy for it; Python's would."""
    service, proxy = listeners
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "example.org")
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{service.port}")
    with suppress(Exception):
        connect(timeout=1)
    assert service.heard
    assert proxy.heard == []
    assert os.environ["no_proxy"] == "example.org,127.0.0.1"
