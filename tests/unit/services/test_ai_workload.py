"""What is measured of an AI service: which answers are right, when a busy host knows nothing, what it may cost."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from ready.checks.probe import CheckError
from ready.latency import prober
from ready.latency.prober import Clock, Prober
from ready.latency.runner import Measurement
from ready.latency.series import Series, figures
from ready.latency.small_sample import count_over
from ready.latency.verdicts import judge_latency, run_verdict
from ready.latency.workload import Operation
from ready.services.ai import workload as ai
from ready.services.ai.client import TOKENS, Completion, expect_whole
from ready.services.ai.faults import LOCAL
from ready.services.ai.probe import AIProbe
from ready.services.ai.workload import PAIRS, AIWorkload, check_label, check_nearest

from tests.unit.ai_stub import CHAT, DIMENSIONS, KEYS, LIMITS, Stub, vector


def workload(service: dict[str, Any]) -> AIWorkload:
    """Return the workload of a service."""
    return AIWorkload(AIProbe(service, {name: KEYS[name] for name in service["accounts"]}, 5.0))


def operations(its: AIWorkload) -> dict[str, Operation]:
    """Return the operations by name; the fixture is built."""
    its.build()
    return {operation.name: operation for operation in its.operations()}


def measured(monkeypatch: pytest.MonkeyPatch, service: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Return the parts of the evidence and the rows of a measurement with few requests."""
    monkeypatch.setattr(prober, "OPEN_SECONDS", 1.0)
    its = workload(service)
    its.build()
    its.container_seconds = lambda: 0.0
    found = Measurement(1000, time.monotonic() + 60, {}, {}).service("ai", its)
    answer = {
        "at": "2026-11-29T12:00:00Z",
        "samples": 1000,
        "seconds": 1.0,
        "services": {"ai": found | {"image_id": None, "size": its.size, "left": "", "refused": ""}},
        "host": {"idle": {}, "loaded": {}},
    }
    part = judge_latency({"services": {"ai": service}}, answer | changed, {})
    return {"operations": part.results["services"]["ai"], "rows": part.rows, "verdict": part.verdict, "found": found}


def test_what_is_measured(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty completions pass, the first token beside them; the second tier is reported."""
    found = measured(monkeypatch, stub.service())
    assert found["verdict"] == "pass", found["rows"]
    completion = found["operations"]["completion"]
    assert (completion["n"], completion["errors"], completion["verdict"]) == (20, 0, "pass")
    first = completion["beside"]["first_token"]
    assert first["n"] == 20
    assert 0 < first["p50_ms"] < completion["p50_ms"]
    assert completion["baseline"] is None
    assert "first token p50 " in found["rows"][-1]["detail"], found["rows"]
    assert [its["verdict"] for its in found["rows"]] == ["not_applicable", "not_applicable", "pass"]
    assert found["operations"]["embedding"]["errors"] == 0
    # The stub answers every classification with the label that was recorded of the first one.
    classification = found["operations"]["classification"]
    assert (classification["n"], classification["first_error"]) == (6, "a label: found animals, expected money")


def test_prompts_differ(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that came before would be answered from a cache."""
    measured(monkeypatch, stub.service())
    prompts = [
        json.loads(body)["messages"][0]["content"]
        for _, path, _, body in stub.asked
        if path.endswith("/completions") and b"stream" in body
    ]
    # Warm-up, service and response each begin with the first question, as those of every service do.
    assert len(set(prompts)) == 20
    assert {account for _, path, account, _ in stub.asked if path != "/v1/models"} == {"monitor"}


def test_what_is_asked_keeps_to_the_limit(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the account that pays; cheap requests by the hundred are of the one that may meet its limit."""
    its = workload(stub.service())
    its.open()
    for _ in range(200):
        its.round_trip()
    for _ in range(20):
        its.reconnect()
    its.close()
    assert stub.used == {"throttle": 220}
    measured(monkeypatch, stub.service())
    assert stub.used["monitor"] < LIMITS["monitor"]


@pytest.mark.parametrize("fault", ["500", "hang"])
def test_a_round_trip_that_fails(stub: Stub, fault: str) -> None:
    """Only an answer counts, or a refusal by the limit."""
    its = AIWorkload(AIProbe(stub.service(), KEYS, 0.5))
    its.open()
    stub.fault = fault
    with pytest.raises(Exception, match=r"found HTTP 500|timed out"):
        its.round_trip()
    its.close()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("short", "a completion: found 3 tokens (length), expected at least 16"),
        ("close", "found an answer that breaks off (RemoteProtocolError)"),
        ("500", "fault of the endpoint: a completion: found HTTP 500 (server_error)"),
        ("429", "the limit of this key is used up"),
        ("401", "fault on this side: a completion: found HTTP 401 (invalid_api_key)"),
    ],
)
def test_faults_are_misses(stub: Stub, monkeypatch: pytest.MonkeyPatch, fault: str, said: str) -> None:
    """A short or broken answer is no quick one; and a service that is well again is measured on."""
    its = workload(stub.service())
    operation = operations(its)["completion"]
    stub.fault = fault
    series = Prober().closed_loop(operation, 2)
    assert (series.samples, series.misses) == ([], 2)
    assert said in series.first_error
    assert KEYS["app"][-8:] not in series.first_error
    stub.fault = ""
    assert Prober().closed_loop(operation, 2).misses == 0
    its.close()


def test_a_late_completion_ends(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that drips for ever is a miss, and the next question has a new connection."""
    its = workload(stub.service())
    its.timeout = 0.5
    operation = operations(its)["completion"]
    stub.fault = "drip"
    assert "no whole answer within 0.5 s" in Prober().closed_loop(operation, 1).first_error
    stub.fault = ""
    assert Prober().closed_loop(operation, 1).misses == 0
    its.close()


def test_wrong_vectors_are_misses(stub: Stub) -> None:
    """The nearest sentence must be the one on the same subject, in as many dimensions."""
    known = [vector(sentence) for sentence, _ in PAIRS]
    for number, (_, other) in enumerate(PAIRS):
        check_nearest(vector(other), known, number)
    with pytest.raises(
        CheckError, match=r"the nearest sentence: found 'A cat sleeps on the sofa\.', expected 'The bank "
    ):
        check_nearest(vector(PAIRS[0][1]), known, 1)
    with pytest.raises(CheckError, match=f"found {DIMENSIONS - 1} dimensions, expected {DIMENSIONS}"):
        check_nearest(vector(PAIRS[0][1])[1:], known, 0)
    operation = operations(workload(stub.service()))["embedding"]
    stub.fault = "dimensions"
    assert Prober().closed_loop(operation, 1).misses == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('{"label": "money"}', "found money, expected animals"),
        ('{"label": "a long text of the model\'s"}', "found another one, expected animals"),
        ("Animals!", "found an answer of another form, expected animals"),
        ('{"subject": "animals"}', "found an answer of another form"),
        ("[]", "found an answer of another form"),
    ],
)
def test_wrong_labels(answer: str, said: str) -> None:
    """What the model wrote is not repeated."""
    check_label('{"label": "animals"}', "animals")
    with pytest.raises(CheckError, match=said):
        check_label(answer, "animals")


@pytest.mark.parametrize(("text", "tokens"), [("one two", 15), ("  ", 16)])
def test_a_completion_is_as_long_as_asked(text: str, tokens: int) -> None:
    """Fewer tokens take less time."""
    expect_whole(Completion("one", TOKENS, 10, 0.1, 0.3, "length", {}), "a completion", LOCAL)
    with pytest.raises(CheckError, match=f"found {tokens} tokens"):
        expect_whole(Completion(text, tokens, 10, 0.1, 0.3, "stop", {}), "a completion", LOCAL)


def test_tokens_elsewhere_are_capped(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the cap nothing is sent; the fixture says so, and its tokens count."""
    monkeypatch.setattr(ai, "MOST_TOKENS", 300)
    its = workload(stub.elsewhere())
    assert its.size.endswith("; 300 tokens at most")
    operation = operations(its)["completion"]
    assert its.tokens == 9 * len(PAIRS)
    sent = len(stub.asked)
    series = Prober().closed_loop(operation, 5)
    # 72 of the fixture, then 59 each; what is asked for is counted before it is sent, with all that it may take.
    assert (len(series.samples), series.misses) == (3, 2)
    assert its.tokens == 9 * len(PAIRS) + 3 * (43 + TOKENS)
    assert series.first_error == "a completion: not sent, the 300 tokens of a check are used up"
    assert len(stub.asked) - sent == 3
    assert "tokens at most" not in workload(stub.service()).size


@pytest.mark.parametrize("name", ["completion", "embedding", "classification"])
@pytest.mark.parametrize(("fault", "sent"), [("greedy", 2), ("uncounted", 20)])
def test_tokens_are_those_that_the_endpoint_counts(stub: Stub, name: str, fault: str, sent: int) -> None:
    """A model that keeps to no limit uses the cap up by itself; one that does not count, by what it is asked for."""
    its = workload(stub.elsewhere())
    operation = operations(its)[name]
    stub.fault = fault
    before = len(stub.asked)
    for number in range(20):
        with suppress(CheckError):
            operation.ask(number)
    assert len(stub.asked) - before == sent
    assert (its.tokens > 10_000) is (fault == "greedy")
    assert its.tokens > 20 * TOKENS


def test_without_a_model_for_embeddings(stub: Stub) -> None:
    """The rest is measured."""
    assert list(operations(workload(stub.elsewhere(models={"chat": {"name": CHAT}})))) == [
        "classification",
        "completion",
    ]


def test_a_whole_check_elsewhere_keeps_to_its_tokens(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs of all operations stay below the cap, so that a slow endpoint is judged and not cut off."""
    found = operations(workload(stub.elsewhere()))
    tokens = {"completion": 82, "embedding": 20, "classification": 124}
    runs = {"completion": 3}
    total = 20 * len(PAIRS) + sum(
        runs.get(name, 1) * tokens[name] * (1 + its.warm_up + (its.few or 0) + (5 if its.judged else 0))
        for name, its in found.items()
    )
    assert total < ai.MOST_TOKENS


def run(
    milliseconds: float, count: int, others: float | None = 10.0, more: float = 0, **changed: Any
) -> dict[str, Any]:
    """Return a run of completions."""
    samples = [int(its * 1e6) for its in [milliseconds] * count + ([more] if more else [])]
    return {
        "service": figures(Series(samples)),
        "lateness": figures(Series([1000])),
        "steal_percent": 0.0,
        "busy": {"others_percent": others, "stolen_percent": 0.0},
        "detail": "",
        "few": 20,
        "over": count_over(samples, 0, 2000),
        "computes": True,
    } | changed


@pytest.mark.parametrize(
    ("its", "verdict", "why"),
    [
        (run(400, 20), "pass", ""),
        (run(400, 10), "pass", ""),  # none over: less likely of a slow one than one in twenty over
        (run(400, 9), "insufficient_data", "9 requests are too few to say"),
        (run(400, 12, more=3000), "insufficient_data", "13 requests, 1 of them over 2000 ms, are too few to say"),
        (run(400, 19, more=3000), "pass", ""),
        (run(3000, 5), "fail", "p95 3e+03 ms, objective 2000 ms"),  # fifteen seconds for no more than five
        (run(3000, 3), "insufficient_data", "3 requests are too few to say"),
        (run(3000, 5, 93.0), "insufficient_data", "p95 3e+03 ms, while others used 93 % of the processors, over 50 %"),
        (run(400, 20, 93.0), "pass", ""),  # quick on a busy host is quick
        (run(3000, 5, None), "fail", "p95 3e+03 ms"),  # an endpoint elsewhere has no container here
        (run(3000, 20, 93.0, computes=False), "fail", "p95 3e+03 ms"),
    ],
)
def test_verdicts(its: dict[str, Any], verdict: str, why: str) -> None:
    """A slow model fails; where others keep the processors busy nothing is known."""
    found, reason = run_verdict(its, 2000)
    assert (found, why in reason) == (verdict, True), reason


class Slow(Clock):
    """Time that passes by itself."""

    def __init__(self) -> None:
        self.time = 0

    def now(self) -> int:
        """Return the time now."""
        return self.time

    def wait_until(self, moment: int) -> None:
        """Be there."""
        self.time = max(self.time, moment)


@pytest.mark.parametrize(
    ("milliseconds", "slower", "left", "n", "verdict"),
    [
        (350, {}, 60, 20, "pass"),
        (1000, {}, 60, 15, "pass"),
        (1500, {}, 60, 10, "pass"),
        (1990, {}, 60, 10, "pass"),
        (1990, {6}, 60, 20, "pass"),  # as one in twenty may be over, the rest is asked for
        (1990, {6, 7}, 60, 7, "fail"),  # nothing more would make a pass of it
        (2100, {}, 60, 4, "fail"),
        (9000, {}, 60, 4, "fail"),
        (1990, {}, 12, 7, "insufficient_data"),  # the deadline of all
        (350, {}, -5, 20, "pass"),
        (1990, {}, -5, 5, "insufficient_data"),
    ],
)
def test_a_slower_host(stub: Stub, milliseconds: int, slower: set[int], left: float, n: int, verdict: str) -> None:
    """What keeps the objective passes, however near to it; it stops once that is decided, and at the deadline."""
    clock = Slow()
    its = workload(stub.service())
    (operation,) = (one for one in its.operations() if one.name == "completion")
    asked: list[int] = []

    def ask(_: int) -> Completion:
        number = len(asked) - 1 - operation.warm_up  # after the cold one and the warm-up
        asked.append(number)
        clock.time += int((3500 if number + 1 in slower else milliseconds) * 1e6)
        return Completion("text", TOKENS, 40, 0.1, milliseconds / 1000, "length", {})

    made = replace(operation, ask=ask)
    its.container_seconds = lambda: 0.0
    its.reconnect = lambda: setattr(clock, "time", clock.time + 10**8)  # type: ignore[method-assign]
    found = Prober(clock).operation(its, made, 1000, 2000, time.monotonic() + left + clock.time / 1e9)
    found |= {"steal_percent": 0.0, "busy": {"others_percent": 10.0, "stolen_percent": 0.0}}
    assert (found["service"]["n"], run_verdict(found, 2000)[0]) == (n, verdict), run_verdict(found, 2000)
