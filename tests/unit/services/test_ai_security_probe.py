"""What an attacker of the AI service tries, against one that refuses all, and one that lets each thing through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ready.security.probe import FOREIGN_HOST
from ready.services.ai.probe import AIProbe
from ready.services.ai.security_probe import AISecurityProbe

from tests.unit import ai_stub
from tests.unit.ai_stub import KEYS, LIMITS, Stub


def outcomes(service: dict[str, Any], ca: str | None = None, timeout: float = 5.0) -> dict[str, tuple[str, str]]:
    """Return id -> outcome and what was found; no key is shown."""
    security_probe = AISecurityProbe(AIProbe(service, KEYS, timeout, ca), dict)
    results = security_probe.run()
    assert not [key for key in KEYS.values() if key in str(results)]
    assert all(its["title"] and its["how"] and its["expected"] for its in results)
    return {its["id"]: (its["outcome"], its["found"]) for its in results}


REFUSED = {
    "no_password": "HTTP 401",
    "wrong_password": "HTTP 401",
    "foreign_key": "HTTP 401",
    "internal_key": "HTTP 401",
    "foreign_host": "HTTP 401",
    "web_page": "Access-Control-Allow-Origin: absent",
    "beyond_api": "HTTP 404",
    "other_method": "HTTP 405",
    "too_large": "HTTP 413",
    "endless": "HTTP 411",
}


def test_all_are_refused(stub: Stub) -> None:
    """By a gateway as it should be, with nothing of the applications' limit and little of wrong keys."""
    assert outcomes(stub.service()) == {name: ("refused", found) for name, found in REFUSED.items()}
    assert stub.used["app"] == 0
    assert stub.used["monitor"] < 30
    assert stub.used[""] <= 5


def test_over_tls(tmp_path: Path) -> None:
    """What every service with TLS is asked comes with it."""
    with ai_stub.running(tmp_path) as (stub, authority):
        found = outcomes(stub.service(), authority)
    assert found.pop("plaintext")[0] == "refused"
    assert found.pop("old_tls")[0] == "refused"
    assert found == {name: ("refused", said) for name, said in REFUSED.items()}


@pytest.mark.parametrize(
    ("lax", "through"),
    [
        ({401}, {"no_password", "wrong_password", "foreign_key", "internal_key", "foreign_host"}),
        ({404}, {"beyond_api"}),
        ({405}, {"other_method"}),
        ({413}, {"too_large"}),
        ({411}, {"endless"}),
    ],
)
def test_what_gets_through(stub: Stub, lax: set[int], through: set[str]) -> None:
    """Each refusal that is missing is seen by its own attempt."""
    stub.lax = lax
    found = outcomes(stub.service())
    assert {name for name, (outcome, _) in found.items() if outcome == "succeeded"} == through, found


@pytest.mark.parametrize("fault", ["429", "queue", "wrong keys", "503"])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_busy_service_shows_nothing(stub: Stub, monkeypatch: pytest.MonkeyPatch, fault: str, elsewhere: bool) -> None:
    """Whoever has to come later got nowhere, and was not refused for what he tried."""
    monkeypatch.setattr(AISecurityProbe, "alive", lambda _: None)
    stub.lax, stub.fault = {401, 404, 405, 411, 413}, fault
    found = outcomes(stub.elsewhere() if elsewhere else stub.service())
    tried = {name: its for name, its in found.items() if name not in {"beyond_api", "other_method"}}
    assert {outcome for outcome, _ in tried.values()} == {"unknown"}, found
    assert all(f"HTTP {ai_stub.STATUSES[fault][0]}" in text for _, text in tried.values()), found


def test_the_limit_is_met_by_an_attacker(stub: Stub) -> None:
    """In the middle of it: what is not answered any more is unknown."""
    stub.used["monitor"] = LIMITS["monitor"] - 3
    found = outcomes(stub.service())
    assert {name for name, (outcome, _) in found.items() if outcome == "unknown"} == {
        "beyond_api",
        "other_method",
        "too_large",
        "endless",
    }
    assert all(outcome in {"refused", "unknown"} for outcome, _ in found.values()), found


def test_each_way_beyond_the_api_is_named(stub: Stub) -> None:
    """All of them, not the first one alone."""
    stub.lax = {404}
    _, found = outcomes(stub.service())["beyond_api"]
    assert "/slots: HTTP 200; /metrics: HTTP 200; /props: HTTP 200" in found


def test_an_origin_that_is_allowed(stub: Stub) -> None:
    """As llama.cpp's own server answers: the gateway must take it away."""
    stub.headers = {"Access-Control-Allow-Origin": f"https://{FOREIGN_HOST}"}
    assert outcomes(stub.service())["web_page"][0] == "succeeded"


def test_the_internal_key_must_be_known(stub: Stub) -> None:
    """Without it nothing is proven."""
    security_probe = AISecurityProbe(
        AIProbe(stub.service(), {name: KEYS[name] for name in ("app", "monitor")}, 5.0), dict
    )
    found = {its["id"]: its["outcome"] for its in security_probe.run()}
    assert found.pop("internal_key") == "unknown"
    assert set(found.values()) == {"refused"}


@pytest.mark.parametrize("fault", ["500", "hang", "html", "401"])
def test_a_service_that_is_ill_refuses_nothing(stub: Stub, fault: str) -> None:
    """That nobody gets through to it proves nothing."""
    stub.fault = fault
    found = outcomes(stub.service(), timeout=0.5)
    assert {outcome for outcome, _ in found.values()} == {"unknown"}


def test_elsewhere(stub: Stub) -> None:
    """Somebody else's endpoint is asked two things alone, which cost nothing when they are refused."""
    assert outcomes(stub.elsewhere()) == {
        "no_password": ("refused", "HTTP 401"),
        "wrong_password": ("refused", "HTTP 401"),
    }
    stub.lax = {401}
    assert {outcome for outcome, _ in outcomes(stub.elsewhere()).values()} == {"succeeded"}
    assert {path for _, path, _, _ in stub.asked} == {"/v1/models", "/v1/chat/completions"}
