# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the part `nexus` of frameworks reads answers, judges times, and what it calls a pass."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ready_frameworks import nexus, nexus_channels, nexus_expected, nexus_server, nexus_timing
from ready_frameworks.context import FAIL, PASS, UNKNOWN, Context
from ready_frameworks.nexus_channels import ChannelError, LateError, of_api, of_cli, of_mcp

ROOT = Path(__file__).resolve().parents[3]
IDLE = {"others_percent": 3.0, "pressure_percent": 2.0, "steal_percent": 0.0}


def mcp(text: str, **more: Any) -> dict[str, Any]:
    """Return a reply to tools/call."""
    return {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": text}], **more}}


def api(output: Any) -> str:
    """Return an answer of the API."""
    return json.dumps({"outputs": {"handler": output}, "execution_time": 0.1})


def test_equal_results_are_equal_through_every_channel() -> None:
    """Numbers come as text from the CLI."""
    expected = {"quantity": "3", "name": "a: b"}
    assert of_api(200, api({"result": {"quantity": 3, "name": "a: b"}})) == expected
    assert of_cli(0, "quantity: 3\nname: a: b\n", "") == expected
    assert of_mcp(mcp('{"quantity": 3, "name": "a: b"}')) == expected


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, '{"detail": "Internal server error"}', "status 500"),
        (200, "<html>", "no outputs"),
        (200, "{}", "no outputs"),
        (200, "[]", "no outputs"),
        (200, '{"outputs": {}}', "no outputs"),
        (200, api("x"), "no dict"),
        (200, api({"echo": "x"}), "no dict"),
        (200, api({"result": {}}), "empty"),
        (200, api({"failed": True, "error": "boom", "result": {"a": 1}}), "boom"),
        (200, api({"result": {"error": "boom"}}), "boom"),
    ],
)
def test_what_only_looks_like_success_over_the_api(status: int, body: str, words: str) -> None:
    """A failed node comes with status 200."""
    with pytest.raises(ChannelError, match=words) as caught:
        of_api(status, body)
    assert caught.value.refused


@pytest.mark.parametrize(
    ("code", "out", "err", "words", "refused"),
    [
        (0, "", "", "exit code 0 and nothing printed", True),
        (0, "\n", "", "no value", True),
        (0, "Workflow started\n", "", "no value", True),
        (0, "error: boom\n", "", "boom", True),
        (1, "", "Error executing workflow: 500 Server Error: for url\n", "exit code 1", True),
        (1, "", "Error executing workflow: Connection refused\n", "refused", False),
        (1, "quantity: 3\n", "", "nothing printed", False),
    ],
)
def test_what_only_looks_like_success_over_the_cli(code: int, out: str, err: str, words: str, refused: bool) -> None:
    """A handler without `result` prints nothing, with exit code 0."""
    with pytest.raises(ChannelError, match=words) as caught:
        of_cli(code, out, err)
    assert caught.value.refused is refused


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (mcp("Tool execution error: boom\nTraceback"), "tool that failed: Tool execution error: boom$"),
        (mcp('{"a": 1}', isError=True), "failed"),
        (mcp("hello"), "no JSON"),
        (mcp("[]"), "no dict"),
        (mcp('{"results": {}, "failed": true}'), "failure given as a result"),
        ({"error": {"code": -32602, "message": "Unknown tool: x"}}, "-32602: Unknown tool: x"),
        ({"result": {"content": []}}, "no text"),
        ({"result": None}, "no text"),
        ({}, "no text"),
    ],
)
def test_what_only_looks_like_success_over_mcp(reply: dict[str, Any], words: str) -> None:
    """A tool that fails gives a text, with or without `isError`."""
    with pytest.raises(ChannelError, match=words):
        of_mcp(reply)


def test_only_a_whole_and_fast_measurement_passes() -> None:
    """One slow request of many fails the channel, whatever the 95th percentile says."""
    good = nexus_timing.judge("API", [5.0] * 49 + [7.0], 50, IDLE)
    assert (good["verdict"], good["p50_ms"], good["max_ms"], good["margin_ms"]) == (PASS, 5.0, 7.0, 1993.0)
    one = nexus_timing.judge("API", [5.0] * 49 + [2000.0], 50, IDLE)
    assert (one["verdict"], one["p95_ms"]) == (FAIL, 5.0)
    assert "2000 ms" in one["detail"]
    assert nexus_timing.judge("API", [5.0] * 49, 50, IDLE)["verdict"] == UNKNOWN
    assert nexus_timing.judge("API", [], 50, IDLE)["verdict"] == UNKNOWN


@pytest.mark.parametrize(
    ("figures", "busy"),
    [
        ({"others_percent": 60.0, "pressure_percent": 1.0}, True),
        ({"others_percent": 20.0, "pressure_percent": 30.0}, True),
        ({"others_percent": 2.0, "pressure_percent": 90.0}, False),  # it waited for itself
        ({"pressure_percent": 30.0}, True),
        ({"steal_percent": 40.0}, True),
        ({"throttled_percent": 40.0}, True),
        ({}, False),
        (IDLE, False),
    ],
)
def test_a_slow_channel_on_a_busy_host_is_no_pass_and_no_failure(figures: dict[str, float], busy: bool) -> None:
    """On a host that had time it is a failure; a busy host never makes it a pass."""
    found = nexus_timing.judge("CLI", [1700.0, 2900.0], 2, figures)
    assert found["verdict"] == (UNKNOWN if busy else FAIL)
    assert ("p95_ms" in found) is not busy  # no requirement may read figures of a busy host
    assert ("The host was busy" in found["detail"]) is busy
    assert nexus_timing.judge("CLI", [1700.0, 1900.0], 2, figures)["verdict"] == PASS


def test_load_is_what_others_did() -> None:
    """Own time is taken off; a counter that is missing gives no figure."""
    begun = {"clock": 0.0, "own": 1.0, "all": 10.0, "used": 5.0, "steal": 0.0, "pressure": 1.0}
    ended = {"clock": 10.0, "own": 5.0, "all": 30.0, "used": 15.0, "steal": 1.0, "pressure": 2.0}
    expected = {"others_percent": 30.0, "steal_percent": 5.0, "pressure_percent": 10.0}
    assert nexus_timing.load(begun, ended) == expected
    assert nexus_timing.load({"clock": 0.0}, {"clock": 1.0}) == {}


def test_the_kernel_s_counters_are_read() -> None:
    """In the form of a real kernel."""
    stat = "cpu  3963547 1272 929802 761022 12208 0 17573 5690 0 0\ncpu0 1 2 3\n"
    found = nexus_timing.processors(stat, 100)
    assert found["steal"] == 56.9
    assert found["all"] == pytest.approx(found["used"] + found["steal"] + found["idle"])
    text = "some avg10=65.50 avg60=58.70 avg300=42.08 total=2500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    assert nexus_timing.pressure(text) == 2.5
    assert nexus_timing.throttled("usage_usec 5\nnr_throttled 1\nthrottled_usec 3000000\n") == 3.0


def test_enough_slow_requests_end_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow server doesn't hold up the run; time that is up does neither."""
    monkeypatch.setattr(nexus_timing, "LIMIT_MS", 0)
    assert len(nexus_timing.measure(lambda _: None, 50, time.monotonic() + 60)) == nexus_timing.ENOUGH
    assert nexus_timing.measure(lambda _: None, 50, time.monotonic() - 1) == []


def test_percentiles_are_times_that_were_measured() -> None:
    """The nearest rank."""
    assert nexus_timing.percentile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert nexus_timing.percentile([5.0, 1.0, 3.0], 0.95) == 5.0
    assert nexus_timing.percentile([float(n) for n in range(1, 101)], 0.95) == 95.0


def test_listening_sockets_are_read() -> None:
    """As a kernel of this byte order writes them; connections are none."""
    row = "   0: {} 00000000:0000 {} 00000000:00000000 00:00000000 00000000     0        0 {} 1 0 100 0 0 10 0\n"
    head = "  sl  local_address rem_address   st\n"
    loop, every = ("0100007F", "00000000") if sys.byteorder == "little" else ("7F000001", "00000000")
    table = head + row.format(f"{loop}:1F90", "0A", 11) + row.format(f"{every}:0BB9", "0A", 12)
    found = nexus_server.listening(table + row.format(f"{loop}:1F91", "01", 13))
    assert found == {"11": ("127.0.0.1", 8080), "12": ("0.0.0.0", 3001)}  # noqa: S104
    assert nexus_server.elsewhere(found.values()) == ["0.0.0.0:3001"]
    assert nexus_server.elsewhere([("::1", 1), ("::", 2), ("127.0.0.53", 3), ("10.0.0.1", 4)]) == ["10.0.0.1:4", ":::2"]


def test_a_real_socket_is_found_where_it_listens() -> None:
    """In this process's own group."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert ("127.0.0.1", server.getsockname()[1]) in nexus_server.open_ports(os.getpgid(0))


def test_a_worker_that_does_not_start_says_why_and_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here there is no Kailash; what the process printed is shown, without secrets."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "examples/catalogue"))
    worker = nexus_server.Worker(
        {"CATALOGUE_PREFIX": "x"}, "x-", lambda text: str(text).replace("found 'x-'", "[secret]")
    )
    with (
        pytest.raises(nexus_server.ServerError, match=r"exit code 2 \(CATALOGUE_PREFIX: \[secret\].*expected API"),
        worker,
    ):
        pass
    assert worker._process is None
    assert worker.said() == ""


def part(seconds: float = 100.0) -> nexus.Part:
    """Return a part that has found nothing."""
    return nexus.Part(Context({"REDIS_PASSWORD": "hunter2-secret"}, "prefix", "word", time.monotonic() + seconds))


@pytest.mark.parametrize("seconds", [20.0, 180.0, 5000.0])
def test_a_part_ends_before_it_is_killed_and_takes_all_time_that_it_is_given(seconds: float) -> None:
    """What is killed loses its findings; a longer limit, which the message advises, must count."""
    left = part(seconds).context.deadline - part(seconds).ends
    assert 5.0 - 1 < left < nexus.ENDING + 1
    late = part(seconds)
    late.ends = time.monotonic() - 1
    assert late.check("start", lambda: None) == UNKNOWN
    assert "Next: --time-limit with more seconds" in late.findings[0]["detail"]


def test_steps_that_were_not_taken_are_no_pass() -> None:
    """Nothing found is nothing shown."""
    empty = part().result()
    assert empty["verdict"] == FAIL
    assert {empty[name]["verdict"] for name in ("api", "cli", "mcp")} == {FAIL}
    assert {empty[name]["verdict"] for name in ("session", "runs")} == {UNKNOWN}
    assert all(empty[name]["detail"] for name in ("api", "cli", "mcp", "session", "runs"))


def all_but(*missing: str) -> nexus.Part:
    """Return a part whose every step has passed, except for some."""
    its = part()
    its.channels = {name: nexus_timing.judge(name, [5.0], 1, IDLE) for name in nexus_channels.CHANNELS}
    names = ["start", "loopback", "redis", "workers"]
    names += [f"session.{name}" for name in nexus.SESSION] + [f"runs.{name}" for name in nexus.RUNS]
    for name in names:
        if name not in missing:
            its.check(name, lambda: None)
    return its


@pytest.mark.parametrize("name", [*nexus.SESSION, *nexus.RUNS])
def test_every_step_counts(name: str) -> None:
    """One that is missing keeps its row from passing, and no other."""
    assert all_but().result()["verdict"] == PASS
    for kind, names in (("session", nexus.SESSION), ("runs", nexus.RUNS)):
        if name in names:
            result = all_but(f"{kind}.{name}").result()
            other = "runs" if kind == "session" else "session"
            assert (result[kind]["verdict"], result[other]["verdict"], result["verdict"]) == (UNKNOWN, PASS, UNKNOWN)


def test_without_redis_only_sessions_and_runs_fail() -> None:
    """The channels need no store."""
    its = all_but(
        "redis", "workers", *(f"session.{name}" for name in nexus.SESSION), *(f"runs.{n}" for n in nexus.RUNS)
    )

    def away() -> None:
        raise ConnectionError("Error connecting with hunter2-secret")

    its.check("redis", away)
    result = its.result()
    assert {name: result[name]["verdict"] for name in ("api", "cli", "mcp")} == dict.fromkeys(
        nexus_channels.CHANNELS, PASS
    )
    for name in ("session", "runs"):
        assert result[name]["verdict"] == FAIL
        assert "bring Redis back" in result[name]["detail"]
    assert "hunter2" not in json.dumps(result)


def test_a_drivers_error_names_the_store_and_not_the_step() -> None:
    """A store may end in the middle of any step."""
    its, error = part(), type("TimeoutError", (Exception,), {"__module__": "redis.exceptions"})

    def away() -> None:
        raise error("reading from socket")

    its.check("session.stored", away)
    detail = its.findings[0]["detail"]
    assert detail.startswith("Redis: found TimeoutError: reading from socket")
    assert "bring Redis back" in detail


class Fake:
    """A channel that answers as it is said."""

    name = "api"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def call(self, workflow: str, values: Any) -> dict[str, str]:
        """Answer."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return dict(self.answer)


def test_a_failure_must_be_shown_as_one() -> None:
    """An answer is not, and no answer is not either."""
    part().refused(Fake(ChannelError("boom", refused=True)))
    with pytest.raises(nexus_expected.Found, match="expected a failure"):
        part().refused(Fake({"quantity": "-1"}))
    with pytest.raises(ChannelError, match="away"):
        part().refused(Fake(ChannelError("away")))
    with pytest.raises(LateError):
        part().refused(Fake(LateError("late")))


@pytest.mark.parametrize(("why", "verdict"), [([], FAIL), (["others_percent 90"], UNKNOWN)])
def test_no_answer_in_time_is_a_failure_unless_the_host_was_busy(
    why: list[str], verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no pass in any case."""
    monkeypatch.setattr(nexus, "busy", lambda figures: why)
    its = part()

    def late() -> None:
        raise LateError("CLI: found no end after 25 s; expected an answer")

    assert its.check("session.read", late) == verdict
    assert ("The host was busy" in its.findings[0]["detail"]) is bool(why)
    assert "Next:" in its.findings[0]["detail"]


class Started:
    """A worker with one channel."""

    def __init__(self, channel: Any) -> None:
        self.api = self.cli = self.mcp = lambda: channel

    def used(self) -> float:
        """Return no time."""
        return 0.0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ChannelError("API: found status 500", refused=True), "status 500"),
        ({"quantity": "1"}, "net_cents"),
        (OSError("no process"), "OSError: no process"),
    ],
)
def test_a_channel_that_answers_wrong_has_no_times(answer: Any, words: str) -> None:
    """Fast and wrong is no figure that a requirement may read."""
    its = part()
    its.time_channel("api", Started(Fake(answer)))  # type: ignore[arg-type]
    assert its.channels["api"]["verdict"] == FAIL
    assert words in its.channels["api"]["detail"]
    assert "p95_ms" not in its.channels["api"]


def test_a_wrong_result_of_a_run_is_seen() -> None:
    """Through any channel; fewer runs than channels are no proof."""
    its = part()
    with pytest.raises(nexus_expected.Found, match="found 0 to read"):
        its.read_runs([Fake({})])
    right = {"run_id": "r", "workflow": "price_quote", "outputs": "{}"}
    its.runs = dict.fromkeys(("r", "s", "t"), right)
    its.read_runs([Fake(right)])
    with pytest.raises(nexus_expected.Found, match="by run id"):
        its.read_runs([Fake({**right, "outputs": '{"a":1}'})])


def test_prices_are_whole_cents() -> None:
    """Half a cent counts as one."""
    assert nexus_expected.price(1, 19.5) == {"quantity": 1, "net_cents": 1950, "vat_cents": 371, "gross_cents": 2321}


def test_no_proxy_and_no_more_than_needed_reaches_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would answer for the loopback address."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:1")
    found = nexus_server.environment({"REDIS_URL": "redis://r"}, "prefix")
    assert "HTTP_PROXY" not in found
    assert (found["REDIS_URL"], found["CATALOGUE_PREFIX"]) == ("redis://r", "prefix")
    assert len(found["KAILASH_ENCRYPTION_KEY"]) >= 32
    cli = nexus_server.Worker({"REDIS_URL": "redis://r"}, "prefix", str).cli()
    assert not {"REDIS_URL", "KAILASH_ENCRYPTION_KEY"} & cli._environment.keys()


def test_words_of_the_cli() -> None:
    """What is no text is JSON, as the CLI reads it."""
    assert [nexus_channels._word(value) for value in ("a", 3, {"a": 1})] == ["a", "3", '{"a": 1}']
