"""The AI service elsewhere: an endpoint of the test's own is the provider. No container of the stack is started."""

from __future__ import annotations

import json
import select
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml
from ready.connector import ServiceConnector
from ready.secrets.vault import SecretStore
from ready.stack.external import secrets_entry

from tests.built import image_of
from tests.cleanup import remove
from tests.names import own
from tests.system.conftest import DEAD_PROXY, PROBES, Ready, own_stack
from tests.unit import ai_stub
from tests.unit.ai_stub import CHAT, DIMENSIONS, EMBEDDING, KEYS, Stub

NAME = own("sys-ai-external")
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
#: What a person may have pasted: no key of the endpoint's.
WRONG_KEY = "sk-wrong/with+every=sign_9f3Kq"


@dataclass
class Proxy:
    """A proxy that only knows CONNECT, and counts what it is asked for."""

    asked: list[str] = field(default_factory=list)
    port: int = 0


@contextmanager
def proxy() -> Iterator[Proxy]:
    """Start one."""
    found = Proxy()

    def serve(client: socket.socket) -> None:
        with client:
            head = client.recv(65536)
            target = head.split()[1].decode()
            found.asked.append(target)
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while ready := select.select([client, server], [], [], 30)[0]:
                    for one in ready:
                        if not (data := one.recv(65536)):
                            return
                        (server if one is client else client).sendall(data)

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        found.port = listener.getsockname()[1]
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield found
        listener.shutdown(socket.SHUT_RDWR)


@dataclass
class Provider:
    """Endpoints by what is wrong with them, each with TLS by its own authority."""

    directory: Path
    exits: ExitStack
    stubs: dict[str, Stub] = field(default_factory=dict)

    def endpoint(self, name: str, fault: str = "", **changed: Any) -> dict[str, Any]:
        """Start one, and return what the inventory says of it."""
        place = self.directory / name
        place.mkdir()
        stub, authority = self.exits.enter_context(ai_stub.running(place))
        stub.fault = fault
        self.stubs[name] = stub
        (place / "ca.pem").write_text(authority)
        its = {"base_url": f"https://127.0.0.1:{stub.port}/v1", "chat": CHAT, "embedding": EMBEDDING}
        return its | {"dimensions": DIMENSIONS, "ca": str(place / "ca.pem")} | changed


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    """Return a place for endpoints."""
    with ExitStack() as exits:
        (tmp_path / "provider").mkdir()
        yield Provider(tmp_path / "provider", exits)


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Ready]:
    """Return an inventory whose one service is elsewhere."""
    with own_stack(tmp_path / "ready", NAME, ["ai"]) as found:
        found.set(ai_backend="external")
        yield found


def former() -> None:
    """Leave containers as a local service did, with a volume of its configuration."""
    client = docker.from_env()
    for service in ("ai", "ai_gateway"):
        labels = {"io.ready.stack": NAME, "io.ready.service": service}
        client.volumes.create(f"{NAME}_{service}_config", labels=labels)
        client.containers.create(image_of("redis"), name=f"{NAME}-{service}", labels=labels)


def evidence(ready: Ready, name: str, stack: str = NAME, host: str = "localhost") -> dict[str, Any]:
    """Return the results of a piece of evidence."""
    path = ready.directory / "evidence" / stack / host / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text())["results"]
    return found


def test_from_nothing_to_a_report(ready: Ready, provider: Provider) -> None:
    """The key is asked for first; `up` sends nothing and removes the local service; `check` goes through the proxy."""
    with proxy() as way:
        ready.set(ai_endpoint=provider.endpoint("good", proxy=f"http://127.0.0.1:{way.port}"))
        refused = ready.run("up", code=2)
        assert "no key of ai" in refused.text
        assert "./ready secrets set --service ai" in refused.text
        key_file = ready.directory / "key"
        key_file.write_text(f"{KEYS['app']}\n")
        key_file.chmod(0o600)
        assert (
            "the key of ai is kept" in ready.run("secrets", "set", "--service", "ai", "--from-file", str(key_file)).text
        )
        former()
        ready.run("up")
        assert not docker.from_env().containers.list(all=True, filters={"label": f"io.ready.stack={NAME}"})
        assert provider.stubs["good"].asked == [] == way.asked
        health = evidence(ready, "health")["services"]["ai"]
        assert health["state"] is None
        assert health["backend"]["title"] == "external endpoint"
        report = json.loads((ready.directory / "evidence" / NAME / "readiness.json").read_text())["results"]
        row = next(row for row in report["requirements"] if row["id"] == "R2.services")
        assert row["verdict"] == "insufficient_data"
        assert "check" in row["next"]
        ready.environment |= DEAD_PROXY | {"NO_PROXY": "", "no_proxy": ""}
        check = ready.run("check", code=None)
        assert way.asked
        assert set(way.asked) == {f"127.0.0.1:{provider.stubs['good'].port}"}
        its = evidence(ready, "health")["services"]["ai"]
        assert its["state"] == "healthy", check.text
        assert its["checks"]["completion"]["figures"]["limit_tokens"] == 16
        assert "external endpoint" in check.text
        attacks = [item for item in evidence(ready, "security")["checks"] if item["service"] == "ai"]
        assert {item["id"]: item["verdict"] for item in attacks} == {"no_password": "pass", "wrong_password": "pass"}
        leaks = [item for item in evidence(ready, "security")["checks"] if item["service"] == "stack"]
        assert {item["verdict"] for item in leaks} == {"pass"}, leaks
        assert evidence(ready, "latency")["services"]["ai"]["completion"]["verdict"] == "pass"
        before = evidence(ready, "health")
        ready.run("up")
        assert evidence(ready, "health") == before, "up does not ask, and keeps what check found"
        watched = ready.run("check", "--watch", "1", "--count", "1")
        assert "ai" in watched.text
        settings = json.loads(ready.run("env", "--secrets", "--format", "json").out)
        sent = len(way.asked)
        with ServiceConnector.from_settings(settings) as services:
            assert [model.id for model in services.ai().models.list()] == [CHAT, EMBEDDING]
        assert len(way.asked) > sent, "an application goes by the same way"
    assert "external endpoint" in ready.run("status").text
    assert settings["OPENAI_API_KEY"] == KEYS["app"]
    assert settings["OPENAI_BASE_URL"] == f"https://127.0.0.1:{provider.stubs['good'].port}/v1"
    assert settings["OPENAI_MODEL"] == CHAT
    for path in (ready.directory / "evidence").rglob("*"):
        assert not path.is_file() or KEYS["app"].encode() not in path.read_bytes(), path


#: Host -> what is wrong, of which endpoint or setting; part of the row that says so, and whose fault it is.
FAULTS: dict[str, tuple[str, str, str]] = {
    "wrong_key": ("HTTP 401", "fault on this side", "./ready secrets set --service ai"),
    "wrong_url": ("HTTP 404", "fault on this side", "base_url"),
    "wrong_model": ("among them", "fault on this side", "chat and embedding"),
    "s429": ("HTTP 429", "fault of the endpoint", "buy a higher limit"),
    "s500": ("HTTP 500", "fault of the endpoint", "ask the provider"),
    "html": ("text/html", "fault of the endpoint", "ask the provider"),
    "other_ca": ("can't be trusted", "fault on this side", "the CA that signed it"),
    "no_proxy": ("connection refused", "fault on this side", "proxy"),
}


def test_each_fault_in_its_row(ready: Ready, provider: Provider) -> None:
    """A host each, in one run: what is wrong, whose fault it is and what to do stand in the rows of its check."""
    good = provider.endpoint("right")
    other = provider.endpoint("other")
    endpoints = {
        "wrong_key": good,
        "wrong_url": good | {"base_url": good["base_url"].replace("/v1", "/other")},
        "wrong_model": good | {"chat": "gpt-of-tomorrow"},
        "s429": provider.endpoint("s429", "429"),
        "s500": provider.endpoint("s500", "500"),
        "html": provider.endpoint("html", "html"),
        "other_ca": good | {"ca": other["ca"]},
        "no_proxy": good | {"proxy": "http://127.0.0.1:9"},
    }
    assert set(endpoints) == set(FAULTS)
    hosts: dict[str, dict[str, Any]] = {
        name: LOCAL | {"stack_name": f"{NAME}-{number}"} for number, name in enumerate(endpoints)
    }
    stacks = {name: its["stack_name"] for name, its in hosts.items()}
    for name, its in endpoints.items():
        hosts[name] |= {"ai_endpoint": its}
        place = ready.inventory / "host_vars" / name
        place.mkdir(parents=True)
        store = SecretStore(place / "ready_secrets.vault", ready.stack.key_file)
        key = WRONG_KEY if name == "wrong_key" else KEYS["app"]
        store.data["stacks"][stacks[name]] = {secrets_entry("ai"): {"app": {"password": key}}}
        store.save()
    (ready.inventory / "hosts.yml").write_text(yaml.safe_dump({"ready": {"hosts": hosts}}))
    ready.set(stack_name=None)
    ready.environment["ANSIBLE_FORKS"] = str(len(hosts))
    try:
        if not (PROBES / "installed.txt").exists():  # made once, not by all hosts at the same time
            ready.run("check", "--only", "health", "--limit", "html", code=2)
        run = ready.run("check", "--only", "health", code=2)
        for name, (said, whose, step) in FAULTS.items():
            its = evidence(ready, "health", stacks[name], name)["services"]["ai"]
            details = " ".join(check["detail"] for check in its["checks"].values())
            assert its["state"] == "unhealthy", name
            assert (said in details, whose in details, step in details) == (True, True, True), (name, details)
        assert WRONG_KEY not in run.text
    finally:
        for stack in stacks.values():
            remove(stack)
