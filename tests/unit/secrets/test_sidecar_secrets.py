# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a sidecar that publishes its service's ports has of the service's secrets, and what is read back of both."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from ready.common.labels import LABEL_STACK
from ready.docker import readback
from ready.secrets.certificates import Pair, names_of
from ready.secrets.inventory_store import rendered_files
from ready.secrets.tls import renew_due_certificates
from ready.secrets.vault import SecretStore
from ready.stack.render import fingerprints
from ready.stack.resolved import containers

from tests.unit.stack.test_sidecars import stack_of

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)


@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    """Return a store with the passwords of ai, once rotated."""
    made = SecretStore.open(tmp_path / "ready_secrets.vault", tmp_path / "key")
    services = stack_of("ai")["services"]
    made.make_missing("ready", services)
    made.rotate("ready", services, {})
    return made


def files_of(store: SecretStore, stack: dict[str, Any], name: str) -> dict[str, str]:
    """Return the files that a container is given, without those of its templates."""
    for its in containers(stack).values():
        its["files"] = []
    return {file.path: file.content.decode() for file in rendered_files(store, stack, name)}


def test_who_has_which_secret(store: SecretStore) -> None:
    """The gateway has the keys that clients send, also those of before, and the certificate; ai has the gateway's."""
    stack = stack_of("ai", ready_tls=True)
    renew_due_certificates(store, stack, [], NOW)
    pair = store.pair("ready", "ai")
    assert isinstance(pair, Pair)
    mine = files_of(store, stack, "ai_gateway")
    now, before = store.passwords("ready", "ai"), store.previous("ready", "ai")
    assert set(now) == {*before, "server"} == {"app", "monitor", "throttle", "server"}
    assert all(any(secret in text for text in mine.values()) for secret in [*now.values(), *before.values()])
    assert mine["tls/server.key"] == pair.key
    assert {path for path in mine if path.startswith("secrets/")} == {
        *(f"secrets/{account}" for account in now),
        *(f"secrets/{account}.previous" for account in before),
    }
    assert files_of(store, stack, "ai") == {"secrets/server": now["server"]}
    assert not any(path.startswith("tls/") for path in files_of(store, stack_of("ai"), "ai_gateway"))


def test_rotation_changes_nothing_for_ai(store: SecretStore) -> None:
    """Its gateway takes the new keys over; the model server has none of them."""
    stack = stack_of("ai", ready_tls=True)
    renew_due_certificates(store, stack, [], NOW)
    found = [fingerprints(its, rendered_files(store, stack, name)) for name, its in containers(stack).items()]
    store.rotate("ready", stack["services"], {})
    after = [fingerprints(its, rendered_files(store, stack, name)) for name, its in containers(stack).items()]
    assert list(containers(stack)) == ["ai", "ai_gateway"]
    assert after[0] == found[0]
    assert after[1]["config_hash"] == found[1]["config_hash"]
    assert after[1]["reload_hash"] != found[1]["reload_hash"]


def test_secrets_are_read_back_of_its_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has taken over is what clients use; the service behind it does not know."""
    monkeypatch.setattr(
        readback, "find_container", lambda _, name: SimpleNamespace(name=name, labels={LABEL_STACK: "ready"})
    )
    monkeypatch.setattr(readback, "read_files", lambda its, path: [("app", 0o400, "", f"{its.name}{path}".encode())])
    stack = stack_of("ai", "redis")
    within = {"ai": "ready-ai_gateway/run/ready", "redis": "ready-redis/run/ready"}
    assert readback.read_secrets(None, stack) == {  # type: ignore[arg-type]
        name: {"app": f"{path}/secrets"} for name, path in within.items()
    }
    assert readback.read_authorities(None, stack) == {  # type: ignore[arg-type]
        name: f"{path}/tls/ca.crt" for name, path in within.items()
    }


def test_its_certificate_is_for_the_gateway(store: SecretStore) -> None:
    """Whoever is in the stack's network connects by that name."""
    stack = stack_of("ai", ready_tls=True)
    names = names_of(stack["services"]["ai"], ["pc1"])
    assert stack["services"]["ai"]["container"] == "ready-ai"
    assert {"ready-ai_gateway", "ai_gateway", "127.0.0.1", "pc1"} <= set(names)
    assert "ready-ai" not in names
    renew_due_certificates(store, stack, ["pc1"], NOW)
    assert renew_due_certificates(store, stack, ["pc1"], NOW) == []
    pair = store.pair("ready", "ai")
    assert pair is not None
    subject = x509.load_pem_x509_certificate(pair.certificate.encode()).subject
    assert [name.value for name in subject] == ["ready-ai_gateway"]


def test_ways_lead_to_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is that of the container that answers; image and process are the service's."""
    stack = stack_of("ai")

    def found(name: str, address: str, pid: int) -> Any:
        networks = {"Networks": {"ready": {"IPAddress": address}}}
        attrs = {"Image": f"image of {name}", "State": {"Pid": pid}, "NetworkSettings": networks}
        return SimpleNamespace(name=name, status="running", labels={"io.ready.stack": "ready"}, attrs=attrs)

    there = {"ready-ai": found("ready-ai", "172.18.0.8", 8), "ready-ai_gateway": found("g", "172.18.0.9", 9)}
    monkeypatch.setattr(readback, "find_container", lambda _, name: there.get(name))
    client: Any = None
    wanted = {"image_id": "image of ready-ai", "address": "172.18.0.9", "pid": 8}
    assert readback.read_running(client, stack) == {"ai": wanted}
    del there["ready-ai_gateway"]
    assert readback.read_running(client, stack) == {"ai": wanted | {"address": None}}
