"""What the connector says without a service; connections are tested on real ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from ready.connections.environment import SettingsError, services_in_settings
from ready.connections.settings import settings
from ready.connector import ConnectorError, ServiceConnector, next_step
from ready.services.ai.probe import AIProbe
from ready.stack.definitions import load_definitions, resolve_stack

from tests.unit import ai_stub
from tests.unit.ai_stub import CHAT, EMBEDDING, KEYS, Stub


@pytest.mark.parametrize(
    ("found", "step"),
    [
        ('FATAL: password authentication failed for user "kailash_app"', "settings again"),
        ("AuthenticationError: invalid username-password pair or user is disabled.", "settings again"),
        ("{neo4j_code: Neo.ClientError.Security.Unauthorized}", "settings again"),
        (
            "Couldn't connect to 127.0.0.1:1 (resolved to ('127.0.0.1:1',)): [Errno 111] Connection refused",
            "./ready up",
        ),
        ("Failed to DNS resolve address nowhere.invalid:7687: Name or service not known", "host name"),
        ("failed to resolve host 'nowhere.invalid'", "host name"),
        ("SSLCertVerificationError: certificate verify failed", "who signs"),
        ("TimeoutError: Timeout reading from socket", "./ready check"),
    ],
)
def test_next_step_fits_what_drivers_say(found: str, step: str) -> None:
    """The words are those of the drivers, recorded."""
    assert step in next_step(found, "redis")


def test_a_refused_password_names_the_service() -> None:
    """`up` compares files, not what the service has; a rotation sets it again."""
    step = next_step("WRONGPASS invalid username-password pair", "redis")
    assert "./ready secrets rotate --service redis" in step
    assert "./ready up" not in step


def test_service_that_is_not_named() -> None:
    """The variable that would name it, and what prints it."""
    with ServiceConnector.from_settings({"REDIS_URL": "redis://a:b@127.0.0.1:1/0"}) as services:
        assert services.services == ("redis",)
        with pytest.raises(ConnectorError, match=r"PostgreSQL: found nothing.*DATABASE_URL or PGHOST.*ready env"):
            services.postgresql()


def test_no_service_is_named() -> None:
    """An application without settings learns so when it starts."""
    with pytest.raises(SettingsError, match="found no service"):
        ServiceConnector.from_environment({"PATH": "/bin"})


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Return an endpoint."""
    with ai_stub.running() as (found, _):
        yield found


def ai_settings(stub: Stub, **changed: str) -> dict[str, str]:
    """Return what `./ready env` writes of a stack's own AI service at the endpoint."""
    base = f"http://127.0.0.1:{stub.port}/v1"
    models = {"OPENAI_MODEL": CHAT, "OPENAI_EMBEDDING_MODEL": EMBEDDING}
    return {"OPENAI_BASE_URL": base, "OPENAI_API_KEY": KEYS["app"], "READY_AI_BACKEND": "local", **models} | changed


AGAIN = "Next: take the settings again: ./ready env --secrets --output .env"
UNUSABLE: list[tuple[str, dict[str, str], str]] = [
    (
        "",
        {"OPENAI_API_KEY": "of-yesterday"},
        "found HTTP 401 (invalid_api_key) for the list of models, a fault on this side; expected the key to be "
        f"accepted. {AGAIN}",
    ),
    ("", {"OPENAI_MODEL": "gone"}, f"expected gone among them. {AGAIN}"),
    (
        "500",
        {},
        "found HTTP 500 (server_error) for the list of models, a fault of the endpoint; expected HTTP 200. Next: ",
    ),
    ("hang", {}, " for the list of models, a fault of the endpoint; expected "),
    ("drip headers", {}, "found no whole answer within 1 s for the list of models"),
    ("html", {}, "found text/html for the list of models"),
]


@pytest.mark.parametrize(("fault", "changed", "said"), UNUSABLE)
@pytest.mark.parametrize("backend", ["local", "external", ""])
def test_an_ai_service_that_can_not_be_used(
    stub: Stub, fault: str, changed: dict[str, str], said: str, backend: str
) -> None:
    """Each message is said once, has one next step, and that is an application's: it rotates nobody's keys."""
    stub.fault = fault
    assert openai.__version__, "loaded before time is taken"
    values = ai_settings(stub, READY_AI_BACKEND=backend, **changed)
    with ServiceConnector.from_settings(values, 1.0) as services:
        started = time.monotonic()
        with pytest.raises(ConnectorError) as refused:
            services.ai()
    assert time.monotonic() - started < 20  # 1 s, on a machine that has time
    text = str(refused.value)
    assert text.startswith(f"AI service at 127.0.0.1:{stub.port}: found ")
    assert said in text
    assert (text.count("Next:"), text.count("found "), text.count("expected ")) == (1, 1, 1)
    assert "rotate" not in text
    assert values["OPENAI_API_KEY"] not in text


def test_a_client_that_has_answered(stub: Stub) -> None:
    """By the client itself, once; with its own retries afterwards, and the caller's options."""
    with ServiceConnector.from_settings(ai_settings(stub)) as services:
        client = services.ai(timeout=3.0)
        assert [path for _, path, _, _ in stub.asked] == ["/v1/models"]
        assert (client.max_retries, client.timeout) == (2, 3.0)
        assert services.validate_all_services() == {"ai": True}


@pytest.mark.parametrize(
    ("base", "backend", "near"),
    [
        ("http://127.0.0.1:11434/openai/v1", "", True),
        ("http://10.0.0.9/openai/v1", "external", True),
        ("http://llama:8080/openai/v1", "", True),
        ("https://ai.example.com/openai/v1", "", False),
        ("http://127.0.0.1:8090/v1", "local", True),
        ("https://ai.example.com:8090/v1", "local", True),
    ],
)
def test_an_address_is_kept(tmp_path: Path, base: str, backend: str, near: bool) -> None:
    """Whole, whoever's it is; what is near, or the stack's own, is asked through no proxy of the environment."""
    authority = tmp_path / "ca.pem"
    with ai_stub.running() as (_, certificate):
        authority.write_text(certificate)
    given = {"OPENAI_BASE_URL": base, "OPENAI_API_KEY": "x", "READY_AI_BACKEND": backend}
    found = services_in_settings(given | {"OPENAI_CA_FILE": str(authority)})
    its = AIProbe(found.services["ai"], found.passwords["ai"], ca=found.authorities["ai"])
    assert (its.endpoint.base_url, its.endpoint.proxies) == (base, not near)
    assert its.external is (backend != "local")


@pytest.mark.parametrize(
    "tls",
    [{}, {"enabled": True, "certificate": "/c.pem", "key": "/k.pem", "ca": "/a", "names": ["ai.example.com"]}],
)
def test_the_stacks_own_is_read_back_as_that(tmp_path: Path, tls: dict[str, Any]) -> None:
    """With a given certificate for a public name as well."""
    variables = {"stack_name": "ready", "ready_services": ["ai"], "ready_bind_address": "127.0.0.1", "ai_tls": tls}
    authority = tmp_path / "ca.pem"
    authority.write_text("x")
    stack = resolve_stack(load_definitions(), variables) | {"authorities": {"ai": str(authority)} if tls else {}}
    values = settings(stack, {"ai": KEYS})
    its = services_in_settings(values).services["ai"]
    assert (its["backend"], its["base_url"]) == ("local", values["OPENAI_BASE_URL"])
    assert ("ai.example.com" in its["base_url"]) is bool(tls)
