"""The AI service's checks against an endpoint elsewhere: a provider's limits, models and proxies."""

from __future__ import annotations

import pytest
from ready.services.ai.client import TOKENS

from tests.unit.ai_stub import CHAT, DIMENSIONS, EMBEDDING, LIMITS, Stub
from tests.unit.security.test_direct_client import NAMES, Listener
from tests.unit.services.ai_probe import ENDPOINT, OURS, detail, probe


def test_other_dimensions_than_the_inventory_says(stub: Stub) -> None:
    """Of an endpoint elsewhere the number is the inventory's, and the endpoint gives what it gives."""
    models = {"chat": {"name": CHAT}, "embedding": {"name": EMBEDDING, "dimensions": 1536}}
    found = detail(probe(stub.elsewhere(models=models)), "embedding")
    assert found.startswith(OURS), found
    assert f"found 4 vectors of {DIMENSIONS} dimensions, expected 4 of 1536. Next: correct dimensions of" in found
    stub.fault = "dimensions"
    assert detail(probe(stub.service()), "embedding").startswith(ENDPOINT)


def test_elsewhere(stub: Stub) -> None:
    """No 429 is provoked, nothing is sent twice, and the tokens of each check are few and shown."""
    found = probe(stub.elsewhere(), timeout=5.0).deep()
    assert {its["verdict"] for its in found.values()} == {"pass"}, found
    assert found["rate_limit"]["figures"] == {
        "limit_requests": "100",
        "remaining_requests": str(100 - stub.used["app"]),
        "reset": "7s",
        "completion_tokens": TOKENS,
        "prompt_tokens": 43,
        "limit_tokens": TOKENS,
    }
    paid = [path for _, path, account, _ in stub.asked if account and path.endswith("/completions")]
    assert len(paid) == 2
    assert stub.used["app"] < LIMITS["app"]
    assert all(b"temperature" not in body for *_, body in stub.asked)


def test_elsewhere_without_limits(stub: Stub) -> None:
    """A provider that tells none keeps its own counsel: that is not applicable, and says why."""
    stub.fault = "no limits"
    its = probe(stub.elsewhere())
    its.checks = ("rate_limit",)
    found = its.deep()["rate_limit"]
    assert found["verdict"] == "not_applicable"
    assert "no x-ratelimit headers" in found["detail"]


def test_a_model_that_reasons(stub: Stub) -> None:
    """It wants another name for the limit; that is learnt once."""
    stub.fault = "max_tokens"
    its = probe(stub.elsewhere())
    assert its.completion()["completion_tokens"] == TOKENS
    assert its.completion()["completion_tokens"] == TOKENS
    assert [b"max_completion_tokens" in body for *_, body in stub.asked] == [False, True, True]


def test_azure(stub: Stub) -> None:
    """Deployments in the path, its header for the key, and the version of its API."""
    models = {
        "chat": {"name": CHAT, "deployment": "chat-1"},
        "embedding": {"name": EMBEDDING, "deployment": "embedding-1", "dimensions": DIMENSIONS},
    }
    base = f"http://127.0.0.1:{stub.port}"
    its = probe(stub.elsewhere(base_url=base, api_version="2026-01-01", models=models), timeout=5.0)
    found = its.deep() | its.probe()
    assert {check["verdict"] for check in found.values()} == {"pass"}, found
    assert {path for _, path, _, _ in stub.asked} == {
        "/openai/models",
        "/openai/deployments/chat-1/chat/completions",
        "/openai/deployments/embedding-1/embeddings",
    }
    its.close()


CALLS = {
    "the openai client": lambda its: its.connect().models.list(),
    "the cheap question": lambda its: its.ping(its.open()),
    "a wrong key": lambda its: its.refusal("x"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_proxies(stub: Stub, monkeypatch: pytest.MonkeyPatch, call: str, elsewhere: bool) -> None:
    """Those of the environment are for endpoints elsewhere, and never see a key of the stack's own."""
    proxy = Listener()
    for variable in NAMES:
        for spelt in (variable, variable.lower()):
            monkeypatch.setenv(spelt, f"http://127.0.0.1:{proxy.port}")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    its = probe(stub.elsewhere(base_url="http://ready.invalid/v1") if elsewhere else stub.service())
    if elsewhere:
        with pytest.raises(Exception):  # noqa: B017, PT011  # the proxy hangs up
            CALLS[call](its)
    else:
        CALLS[call](its)
    assert bool(proxy.heard) is elsewhere
    proxy.socket.close()
