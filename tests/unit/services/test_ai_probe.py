"""The AI service's checks against an endpoint that works, and one that fails in every way: whose fault it is."""

from __future__ import annotations

import errno
import re
import time
from pathlib import Path

import httpx
import pytest
from ready.checks.probe import CheckError
from ready.services.ai import probe as ai
from ready.services.ai.client import TOKENS
from ready.services.ai.faults import EXTERNAL, LOCAL, network_fault
from ready.services.ai.probe import AIProbe
from ready.stack.definitions import load_definitions

from tests.unit import ai_stub
from tests.unit.ai_stub import CHAT, DIMENSIONS, EMBEDDING, LIMITS, Stub
from tests.unit.services.ai_probe import ANSWER, ENDPOINT, OURS, STEP, detail, probe


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ai, "ANSWER_SECONDS", ANSWER)


def test_all_checks_pass(stub: Stub) -> None:
    """And say what they measured."""
    found = probe(stub.service(), timeout=5.0).deep()
    assert {name: its["verdict"] for name, its in found.items()} == dict.fromkeys(AIProbe.checks, "pass"), found
    figures = {name: its["figures"] for name, its in found.items()}
    assert figures["connectivity"] == {"models": 2}
    completion = figures["completion"]
    assert 0 < completion.pop("first_token_seconds") < completion.pop("total_seconds")
    assert completion == {
        "completion_tokens": TOKENS,
        "prompt_tokens": 43,
        "limit_tokens": TOKENS,
        "finish_reason": "length",
    }
    assert figures["embedding"] == {
        "dimensions": DIMENSIONS,
        "texts": 4,
        "nearest_cosine": pytest.approx(0.76, abs=0.01),
        "farthest_cosine": pytest.approx(0.02, abs=0.01),
    }
    limit = figures["rate_limit"]
    assert limit.pop("remaining_requests") < limit["limit_requests"]
    assert limit == {
        "limit_requests": LIMITS["app"],
        "throttle_limit_requests": LIMITS["throttle"],
        "throttle_sent_requests": LIMITS["throttle"] + 1,
        "retry_after_seconds": 7,
    }


def test_who_pays(stub: Stub) -> None:
    """What computes is asked with the key of `monitor`, so that the applications' limit is left to them."""
    probe(stub.service(), timeout=5.0).deep()
    accounts = {(path, account) for _, path, account, _ in stub.asked}
    assert {account for path, account in accounts if path != "/v1/models"} == {"monitor"}
    assert {account for path, account in accounts if path == "/v1/models"} == {"app", "throttle", ""}


def test_over_tls(tmp_path: Path) -> None:
    """By the CA that is given, and by the certificate's own check before."""
    with ai_stub.running(tmp_path) as (stub, authority):
        its = probe(stub.service(), authority, 5.0)
        found = its.deep() | its.probe()
        assert set(found) == {"certificate", *AIProbe.checks, "answers"}
        assert {check["verdict"] for check in found.values()} == {"pass"}, found
        its.close()


FAULTS = [
    # the endpoint's
    ("500", "completion", ENDPOINT, "found HTTP 500 (server_error), expected HTTP 200"),
    ("503", "connectivity", ENDPOINT, "found HTTP 503 (unavailable), expected HTTP 200"),
    (
        "429",
        "completion",
        ENDPOINT,
        "found HTTP 429 (rate_limit_exceeded), Retry-After 7, expected an answer; the limit",
    ),
    (
        "429",
        "rate_limit",
        ENDPOINT,
        "found HTTP 429 (rate_limit_exceeded), Retry-After 7, expected an answer; the limit",
    ),
    (
        "quota",
        "embedding",
        ENDPOINT,
        "found HTTP 429 (insufficient_quota), expected an answer; its account has no quota",
    ),
    ("html", "connectivity", ENDPOINT, "the list of models: found text/html, expected application/json"),
    ("html", "completion", ENDPOINT, "found text/html, expected text/event-stream"),
    ("html", "embedding", ENDPOINT, "found text/html, expected application/json"),
    ("hang", "connectivity", ENDPOINT, "found no"),  # the limit of a read and that of the whole answer are one
    ("hang", "completion", ENDPOINT, "found no"),
    ("drip", "completion", ENDPOINT, "found no whole answer within 1.5 s, expected a whole answer"),
    ("drip headers", "connectivity", ENDPOINT, "found no whole answer within 1 s, expected a whole answer"),
    ("drip headers", "embedding", ENDPOINT, "found no whole answer within 1 s, expected a whole answer"),
    ("close", "completion", ENDPOINT, "found an answer that breaks off (RemoteProtocolError), expected a whole one"),
    ("no end", "completion", ENDPOINT, "found a stream that ends after 4 pieces of text, expected its last event"),
    ("error", "completion", ENDPOINT, "found an answer that breaks off (APIError), expected a whole one"),
    ("short", "completion", ENDPOINT, "found 3 tokens (length), expected at least 16"),
    ("endless", "completion", ENDPOINT, "found over 32 tokens, expected 16 as asked"),
    ("dimensions", "embedding", ENDPOINT, "found 4 vectors of 383 dimensions, expected 4 of 384"),
    ("neighbours", "embedding", ENDPOINT, "found the neighbours in the order 3 > 2 > 1, expected 1 > 2 > 3"),
    ("no limits", "rate_limit", ENDPOINT, "without x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-rate"),
    ("no 429", "rate_limit", ENDPOINT, "found 50 requests of the account throttle answered, expected HTTP 429 before"),
    ("silent", "completion", ENDPOINT, "found 16 tokens without text (length), expected text"),
    (
        "queue",
        "completion",
        ENDPOINT,
        "found HTTP 429 (queue_full), Retry-After 7, expected an answer; too many requests",
    ),
    ("no Retry-After", "rate_limit", ENDPOINT, "found a 429 without Retry-After, expected seconds to wait"),
    # ours
    ("401", "completion", OURS, "found HTTP 401 (invalid_api_key), expected the key to be accepted"),
    ("model", "completion", OURS, "found HTTP 404 (model_not_found), expected the model to be there"),
    ("404", "completion", OURS, "found HTTP 404, expected an OpenAI API at the base URL"),
    ("307", "completion", OURS, "found HTTP 307, a redirection, expected an OpenAI API at the base URL"),
    ("400", "embedding", OURS, "found HTTP 400 (context_length_exceeded), expected HTTP 200. Next: set context_tokens"),
    ("422", "embedding", OURS, "found HTTP 422 (invalid_value), expected HTTP 200. Next: ./ready logs --service ai"),
    ("413", "embedding", OURS, "found HTTP 413 (request_too_large), expected HTTP 200. Next: set body_bytes"),
    ("407", "embedding", OURS, "found HTTP 407, a proxy that asks for a login, expected a way to the endpoint"),
    ("wrong keys", "completion", OURS, "(too_many_wrong_keys), Retry-After 7, expected an answer; too many wrong keys"),
    ("other models", "connectivity", OURS, f"found llama-of-somebody-else, expected {CHAT} and {EMBEDDING} among them"),
]
#: Those that only a limit of time ends; the others must not meet one on a busy machine.
UNANSWERED = {"hang", "drip", "drip headers"}


@pytest.mark.parametrize(("fault", "check", "whose", "expected"), FAULTS)
def test_faults(stub: Stub, monkeypatch: pytest.MonkeyPatch, fault: str, check: str, whose: str, expected: str) -> None:
    """Each is reported in time, as what it is and whose it is."""
    stub.fault = fault
    if fault not in UNANSWERED:
        monkeypatch.setattr(ai, "ANSWER_SECONDS", 10 * ANSWER)
    started = time.monotonic()
    found = detail(probe(stub.service(), timeout=STEP if fault in UNANSWERED else 10 * STEP), check)
    assert time.monotonic() - started < 20 * ANSWER
    assert found.startswith(whose), found
    assert expected in found


@pytest.mark.parametrize("elsewhere", [False, True])
def test_faults_of_the_way(stub: Stub, elsewhere: bool) -> None:
    """No name, nobody who listens, and a wrong key: settings or network on this side."""
    service = stub.elsewhere() if elsewhere else stub.service()
    its = probe(service)
    its.passwords = dict.fromkeys(its.passwords, "x" * 32)
    assert detail(its, "connectivity").startswith(f"{OURS}the list of models: found HTTP 401 (invalid_api_key)")
    stub.shutdown()
    stub.server_close()
    assert detail(probe(service), "connectivity").startswith(f"{OURS}the list of models: found the connection refused")
    if elsewhere:
        lost = probe(service | {"base_url": "http://ready.invalid/v1"})
        assert detail(lost, "connectivity").startswith(
            f"{OURS}the list of models: found no address for the host's name"
        )


@pytest.mark.parametrize("elsewhere", [False, True])
def test_another_authority(tmp_path: Path, elsewhere: bool) -> None:
    """A certificate that the given CA did not sign is refused, by the deep checks and by the cheap one."""
    with ai_stub.running(tmp_path) as (stub, _), ai_stub.running() as (_, other):
        its = probe(stub.elsewhere() if elsewhere else stub.service(), other)
        said = "found a certificate that can't be trusted (unable to get local issuer certificate)"
        for check in ("connectivity", "completion"):
            found = detail(its, check)
            assert found.startswith(OURS), found
            assert said in found or "self-signed certificate in certificate chain" in found
        assert its.probe()["answers"]["detail"].startswith(OURS)
        assert not stub.asked


def test_plain_http_where_tls_is_expected(stub: Stub) -> None:
    """Whoever answers there speaks no TLS."""
    with ai_stub.running() as (_, authority):
        its = probe(stub.elsewhere(base_url=f"https://127.0.0.1:{stub.port}/v1"), authority)
        found = detail(its, "connectivity")
        assert found.startswith(ENDPOINT)
        assert "found TLS that fails (WRONG_VERSION_NUMBER), expected a handshake" in found
        assert "correct base_url" in found  # http there may be right


def test_settings_that_a_next_step_names() -> None:
    """Are there: ai_gateway has them, and ai_settings."""
    its = load_definitions()["ai"]
    for key, group in re.findall(r"set (\w+) of ai_(\w+) higher", " ".join(vars(LOCAL).values())):
        assert key in its[group], f"{key} of ai_{group}"


@pytest.mark.parametrize(
    ("fault", "said"), [("hang", "no"), ("drip", "no whole answer"), ("500", "HTTP 500"), ("html", "text/html")]
)
def test_the_cheap_question_ends(stub: Stub, fault: str, said: str) -> None:
    """And the next round has its answer when the endpoint is well again."""
    its = probe(stub.service())
    assert its.probe()["answers"]["verdict"] == "pass"
    stub.fault = fault
    started = time.monotonic()
    found = its.probe()["answers"]
    assert time.monotonic() - started < 20 * STEP
    assert found["verdict"] == "fail"
    assert f"found {said}" in found["detail"]
    stub.fault = ""
    assert its.probe()["answers"]["figures"] == {"models": 2}
    its.close()


def test_a_key_that_anybody_has(stub: Stub) -> None:
    """Authentication that refuses nobody is a fault."""
    stub.lax = {401}
    assert "a request without a key: found HTTP 200, expected HTTP 401" in detail(probe(stub.service()), "connectivity")


def test_the_limit_of_another_account(stub: Stub) -> None:
    """That the applications' own limit is used up is no 429 met on purpose."""
    stub.used["app"] = LIMITS["app"]
    found = detail(probe(stub.service()), "rate_limit")
    assert found.startswith(ENDPOINT)
    assert "the limit of this key is used up" in found
    assert {account for _, _, account, _ in stub.asked} == {"app"}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("queue", "HTTP 429 (queue_full), Retry-After 7, expected an answer; too many requests are waiting"),
        ("early", "a 429 (rate_limit_exceeded) with 2 requests left, expected none left"),
    ],
)
def test_a_429_that_is_not_the_limit(stub: Stub, fault: str, said: str) -> None:
    """Somebody else's requests, or a fault of the gateway: the limit was not met on purpose."""
    stub.fault, stub.whose = fault, "throttle"
    found = detail(probe(stub.service()), "rate_limit")
    assert found.startswith(ENDPOINT)
    assert said in found


def test_another_limit_than_the_inventory_has(stub: Stub) -> None:
    """What the gateway lets through is what was asked for."""
    found = detail(probe(stub.service(rate={"requests": 200, "seconds": 10})), "rate_limit")
    assert "found 100 requests of one key, expected 200. Next: ./ready up" in found
    stub.headers = {"x-ratelimit-limit-requests": "many"}
    assert "found no number in x-ratelimit-limit-requests" in detail(probe(stub.service()), "rate_limit")


@pytest.mark.parametrize("fault", ["429", "queue", "wrong keys", "503"])
def test_a_busy_endpoint_is_no_open_one(stub: Stub, fault: str) -> None:
    """Without a valid key it answers 429 or 5xx: that is reported as what it is, not as a key that anybody has."""
    stub.lax, stub.fault, stub.whose = {401}, "", ""
    its = probe(stub.service())
    stub.fault = fault
    with pytest.raises(CheckError, match=rf"a request without a valid key: found HTTP {ai_stub.STATUSES[fault][0]} \("):
        its.refusal(None)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENETUNREACH, "x"), "found no route to the host, expected one"),
        (OSError(errno.EHOSTUNREACH, "x"), "found no route to the host, expected one"),
        (httpx.ConnectTimeout("x"), "found no connection in time, expected a server that listens"),
        (httpx.UnsupportedProtocol("x"), "found an address without http:// or https://, expected one with it"),
        (httpx.InvalidURL("x"), "found an address that is none"),
        (httpx.ProxyError("407 x"), "found a proxy that refuses"),
        (httpx.PoolTimeout("x"), "fault of the endpoint"),
        (httpx.ReadTimeout("x"), "fault of the endpoint"),
    ],
)
def test_whose_fault_the_way_is(error: Exception, said: str) -> None:
    """What never reached the provider is none of its faults, however a driver has wrapped it."""
    wrapped = RuntimeError("Connection error.")
    wrapped.__cause__ = error
    for its in (error, wrapped):
        found = str(network_fault(its, "the list of models", EXTERNAL))
        assert said in found
        assert ("correct base_url" in found) is not said.startswith("fault of"), found


def test_a_limit_that_was_met_before(stub: Stub) -> None:
    """By an earlier check in the same period: its first request is refused."""
    stub.used["throttle"] = LIMITS["throttle"]
    figures = probe(stub.service()).rate_limit()
    assert (figures["throttle_sent_requests"], figures["retry_after_seconds"]) == (1, 7)


def test_settings_without_the_small_limit(stub: Stub) -> None:
    """As an application has them: what can't be asked is not applicable, the rest is."""
    its = probe(stub.service(accounts={"app": {"login": "bearer"}}), timeout=5.0)
    found = its.deep()
    assert {name: check["verdict"] for name, check in found.items()} == {
        **dict.fromkeys(AIProbe.checks, "pass"),
        "rate_limit": "not_applicable",
    }
    its = probe(stub.service(models={"chat": {"name": CHAT}}), timeout=5.0)
    found = its.deep()
    assert (found["connectivity"]["verdict"], found["embedding"]["verdict"]) == ("pass", "not_applicable")


def test_the_next_round_of_a_check_that_drips(stub: Stub) -> None:
    """A late answer's connection is closed, so that its thread ends too."""
    stub.fault = "drip"
    its = probe(stub.service())
    with pytest.raises(CheckError, match="no whole answer within"):
        its.completion()
    stub.fault = ""
    assert its.completion()["completion_tokens"] == TOKENS
