"""Outcomes of checks, and the one deadline over all services; what services answer is tested on real ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
from ready.definitions import load_definitions
from ready.probing import PROBES, deep_health
from ready.services.base import Check, CheckError, Probe, attempt, expect

SERVICE: dict[str, Any] = {
    "ports": [{"name": "redis", "bind": "0.0.0.0", "host": 1}],  # noqa: S104
    "accounts": {"app": {"login": "kailash_app"}},
}


class Slow(Probe):
    """Answers when it is let."""

    checks = ("answer",)
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
