"""Outcomes of checks, and the one deadline over all services; what services answer is tested on real ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
from ready.definitions import load_definitions
from ready.probing import PROBES, cheap_health, deep_health
from ready.services.base import ANSWERS, Check, CheckError, Probe, UnknownError, attempt, expect

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
    from ready.requirements import load

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
    """At the deadline the hanging service has failed, by every check it has, and the other one is told as it is."""
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
    assert isinstance(attempt(dict), Check)
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
