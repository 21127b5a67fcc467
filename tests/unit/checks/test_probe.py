"""Outcomes of checks, and health of all services under one deadline; what services answer is tested on real ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from ready.checks.probe import (
    ANSWERS,
    HEALTH_SECONDS,
    CheckError,
    CheckOutcome,
    Probe,
    UnknownError,
    attempt,
    cheap_health,
    deep_health,
    expect,
    step_seconds,
)
from ready.checks.probes import PROBES
from ready.stack.definitions import load_definitions

SERVICE: dict[str, Any] = {
    "ports": [{"name": "redis", "bind": "0.0.0.0", "host": 1}],  # noqa: S104
    "accounts": {"app": {"login": "kailash_app"}},
}


class Slow(Probe):
    """Answers when it is let."""

    checks: tuple[str, ...] = ("answer",)
    gate = threading.Event()

    def answer(self) -> Mapping[str, Any]:
        """Wait."""
        self.gate.wait(30)
        return {}


class Quick(Slow):
    """Answers at once."""

    def answer(self) -> Mapping[str, Any]:
        """Return a figure."""
        return {"keys": 1}


def test_every_service_has_a_probe() -> None:
    """A service without a probe could never be called healthy."""
    assert set(PROBES) == set(load_definitions())


def test_probe_has_what_requirements_ask() -> None:
    """Each check that readiness/adr-009.yml names exists under that name."""
    from ready.evidence.requirements import load

    wanted = [
        predicate.path.split(".")[2:5:2]
        for requirement in load().requirements.values()
        for predicate in requirement.predicates
        if requirement.evidence == "health" and ".checks." in predicate.path and ".ai." not in predicate.path
    ]
    assert wanted
    assert all(check in PROBES[service].checks for service, check in wanted)


@pytest.mark.parametrize("name", PROBES)
def test_checks_are_methods(name: str) -> None:
    """Each name in `checks` is a method."""
    assert all(callable(getattr(PROBES[name], check)) for check in PROBES[name].checks)


def test_whoever_hangs_fails_alone() -> None:
    """At the deadline the hanging service has failed, by every check it has, and the other one is reported as it is."""
    started = time.monotonic()
    found = deep_health({"slow": Slow(SERVICE, {}), "quick": Quick(SERVICE, {})}, 0.3)
    Slow.gate.set()
    assert time.monotonic() - started < 10
    assert found["slow"]["verdict"] == "fail"
    assert found["slow"]["checks"]["answer"]["detail"] == "no answer within 0.3 s"
    assert found["quick"]["verdict"] == "pass"
    assert found["quick"]["checks"]["answer"]["figures"] == {"keys": 1}


def test_password_in_an_error_is_not_told() -> None:
    """A driver may repeat what it was given."""

    def login() -> Mapping[str, Any]:
        raise OSError("could not log in with s3cret\nat all")

    found = attempt(login, ["s3cret"])
    assert (found.verdict, found.detail) == ("fail", "OSError: could not log in with *** at all")


def test_what_differs_is_told() -> None:
    """Found and expected, without the name of our own exception."""

    def ping() -> Mapping[str, Any]:
        expect("PING", "a", "b")
        return {}

    assert attempt(ping).detail == "PING: found 'a', expected 'b'"
    assert isinstance(attempt(dict), CheckOutcome)
    assert attempt(dict).verdict == "pass"


def test_unknown_password_is_named() -> None:
    """Without a password the check fails with the account's name."""
    with pytest.raises(CheckError, match="account app"):
        Slow(SERVICE, {}).login("app")
    assert Slow(SERVICE, {"app": "x"}).login("app") == ("kailash_app", "x")
    assert Slow(SERVICE, {}).address("redis") == ("127.0.0.1", 1)


class Line:
    """A connection that is lost when somebody says so."""

    def __init__(self) -> None:
        self.lost = self.closed = False

    def close(self) -> None:
        """Close it."""
        self.closed = True


class Kept(Probe):
    """Counts its connections."""

    checks = ()

    def __init__(self) -> None:
        super().__init__(SERVICE, {"app": "s3cret"})
        self.lines: list[Line] = []
        self.down = False

    def open(self) -> Line:
        """Connect."""
        if self.down:
            raise OSError("refused to s3cret")
        self.lines.append(Line())
        return self.lines[-1]

    def ping(self, connection: Line) -> Mapping[str, Any]:
        """Answer while the line is there."""
        if connection.lost or self.down:
            raise OSError("lost")
        return {}


def test_connection_is_kept_and_made_anew() -> None:
    """One connection for all rounds; a lost one is replaced in the same round; a service that is down has failed."""
    probe = Kept()

    def verdict() -> str:
        return str(cheap_health({"kept": probe}, 5)["kept"]["verdict"])

    assert [verdict(), verdict()] == ["pass", "pass"]
    assert len(probe.lines) == 1
    probe.lines[0].lost = True
    assert verdict() == "pass"
    assert (len(probe.lines), probe.lines[0].closed) == (2, True)
    probe.down = True
    assert verdict() == "fail"
    assert probe.probe()[ANSWERS]["detail"] == "OSError: refused to ***"
    probe.down = False
    assert verdict() == "pass"
    probe.close()
    assert all(line.closed for line in probe.lines)


def test_unanswered_question_is_not_asked_twice() -> None:
    """A driver is not called from two threads: the next round says what it waits for."""
    gate = threading.Event()

    class Hanging(Kept):
        def ping(self, connection: Line) -> Mapping[str, Any]:
            gate.wait(30)
            return {}

    probe = Hanging()
    first = cheap_health({"x": probe}, 0.2)["x"]
    assert first["checks"][ANSWERS]["detail"] == "no answer within 0.2 s"
    assert "earlier round" in cheap_health({"x": probe}, 5)["x"]["checks"][ANSWERS]["detail"]
    gate.set()


def test_driver_that_fails_to_close_changes_no_verdict() -> None:
    """Neo4j's driver raises where the connection broke in the middle of a message: the next connection decides."""

    class Unclosable(Line):
        def close(self) -> None:
            raise BufferError("Existing exports of data: object cannot be re-sized")

    class Broken(Kept):
        def open(self) -> Line:
            self.lines.append(Unclosable())
            return self.lines[-1]

    probe = Broken()
    assert probe.probe()[ANSWERS]["verdict"] == "pass"
    probe.lines[0].lost = True
    assert probe.probe()[ANSWERS]["verdict"] == "pass"
    assert len(probe.lines) == 2
    probe.close()


def test_connection_in_use_is_not_closed() -> None:
    """A watch that is interrupted ends while a question is still asked: its thread has the driver for itself."""
    gate, asked = threading.Event(), threading.Event()

    class Hanging(Kept):
        def ping(self, connection: Line) -> Mapping[str, Any]:
            asked.set()
            gate.wait(30)
            return {}

    probe = Hanging()
    thread = threading.Thread(target=probe.probe, daemon=True)
    thread.start()
    assert asked.wait(30)
    probe.close()
    assert not probe.lines[0].closed
    gate.set()
    thread.join(30)
    probe.close()
    assert probe.lines[0].closed


def test_a_longer_deadline_gives_each_step_more() -> None:
    """Neo4j on a starved machine may need more than five seconds for one query: the deadline is the only setting."""
    assert [step_seconds(deadline) for deadline in (4, HEALTH_SECONDS, 120)] == [5, 5, 30]


def test_what_settings_do_not_name_is_not_applicable() -> None:
    """An application's settings have the app account alone: a check by another one is neither passed nor failed."""

    class Monitored(Quick):
        checks = ("answer", "watched")

        def watched(self) -> Mapping[str, Any]:
            self.login("monitor")
            return {}

    found = deep_health({"x": Monitored(SERVICE, {})}, 5)["x"]
    assert found["verdict"] == "pass"
    assert found["checks"]["watched"]["verdict"] == "not_applicable"
    assert found["checks"]["watched"]["detail"] == "the settings name no account monitor"
    with pytest.raises(UnknownError, match="no port http"):
        Slow(SERVICE, {}).address("http")


@pytest.mark.parametrize("name", PROBES)
def test_every_service_can_be_watched(name: str) -> None:
    """Each class asks its own cheap question."""
    assert PROBES[name].ping is not Probe.ping
    assert PROBES[name].open is not Probe.open


class Session:
    """PostgreSQL of an earlier version: it has no function, and its monitor sees everything itself, or not."""

    def __init__(self, sees_all: bool) -> None:
        self.sees_all = sees_all

    def execute(self, text: str, *_: Any) -> Any:
        """Answer, or raise as the driver does."""
        if "ready.activity()" in text:
            raise psycopg.errors.InvalidSchemaName
        rows: dict[bool, tuple[Any, ...]] = {True: (self.sees_all,), False: (11, 0, 0, 100)}
        row = (1,) if text == "SELECT 1" else rows["pg_has_role" in text]
        return SimpleNamespace(fetchone=lambda: row)

    def __enter__(self) -> Session:
        """Enter it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it."""


@pytest.mark.parametrize("sees_all", [True, False])
def test_sessions_of_a_container_of_before(sees_all: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the next `up` its monitor reads all sessions itself; one that can't has lost the function."""
    probe: Any = PROBES["postgresql"](SERVICE, {})
    monkeypatch.setattr(probe, "connect", lambda *_, **__: Session(sees_all))
    found = attempt(probe.pool)
    assert found.verdict == ("pass" if sees_all else "fail"), found
    if sees_all:
        assert found.figures["connections"] == 11
    else:
        assert found.detail.endswith("Next: ./ready up")
