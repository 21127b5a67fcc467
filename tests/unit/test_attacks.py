"""How attacks are told; that services refuse them is tested on real ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ready.attacks import ATTACKS
from ready.attacks.attempt import Attempt, RefusedError
from ready.attacks.base import Attacker, rights
from ready.definitions import load_definitions
from ready.probing import PROBES, make_probes
from ready.services.base import Probe

SERVICE: dict[str, Any] = {"ports": [], "accounts": {"app": {"login": "kailash_app"}}}
PASSWORD = "Xk3vQ9mT2bLw7RzN5cHs8JdF4gYp6AeU"


class DriverError(Exception):
    """What a driver raises."""


class Attacks(Attacker):
    """One of each outcome."""

    dead = False

    def alive(self) -> None:
        """Be there, or not."""
        if self.dead:
            raise DriverError(f"connection refused for {PASSWORD}")

    def refusal(self, error: Exception) -> bool:
        """Know the service's own word."""
        return isinstance(error, DriverError) and "NOPERM" in str(error)

    def attempts(self) -> Sequence[Attempt]:
        """Return one of each."""

        def raising(error: Exception) -> Any:
            def run() -> str:
                raise error

            return run

        return [
            Attempt("got_in", "t", "h", lambda: f"in with {PASSWORD}"),
            Attempt("refused", "t", "h", raising(DriverError("NOPERM no"))),
            Attempt("none", "t", "h", raising(RefusedError("none of it"))),
            Attempt("lost", "t", "h", raising(DriverError("timed\nout"))),
        ]


def outcomes(attacker: Attacker) -> dict[str, tuple[str, str]]:
    """Return id -> outcome and what was found."""
    return {item["id"]: (item["outcome"], item["found"]) for item in attacker.run()}


def test_outcomes() -> None:
    """Got in, refused and could not be told are three things; no password is shown."""
    assert outcomes(Attacks(Probe(SERVICE, {"app": PASSWORD}), dict)) == {
        "got_in": ("succeeded", "in with ***"),
        "refused": ("refused", "DriverError: NOPERM no"),
        "none": ("refused", "none of it"),
        "lost": ("unknown", "DriverError: timed out"),
    }


def test_a_dead_service_refuses_nothing() -> None:
    """That nobody gets into a service that is down proves nothing."""
    attacker = Attacks(Probe(SERVICE, {"app": PASSWORD}), dict)
    attacker.dead = True
    found = outcomes(attacker)
    assert {outcome for outcome, _ in found.values()} == {"unknown"}
    assert all("connection refused for ***" in text for _, text in found.values())


def test_an_impostor_connects_as_the_probe_does() -> None:
    """Same service, address, timeout and certificates; another login."""
    probe = Probe(SERVICE | {"database": "a"}, {"app": PASSWORD}, 3.0, "/ca.pem")
    other = Attacks(probe, dict).impostor("mallory", "x", database="b")
    assert other.login("impostor") == ("mallory", "x")
    assert (other.timeout, other.ca, other.service["database"]) == (3.0, "/ca.pem", "b")
    assert probe.service["database"] == "a"


def test_rights() -> None:
    """Any right is a success of the attacker's."""
    assert rights({"superuser": True, "createdb": False}) == "has superuser"
    with pytest.raises(RefusedError, match="none of superuser"):
        rights({"superuser": False})


def test_every_service_is_attacked() -> None:
    """A service without attacks would never be found open."""
    assert set(ATTACKS) == set(load_definitions()) == set(PROBES)


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_tried(name: str, whole_stack: dict[str, Any]) -> None:
    """Each says what and how, under a name of its own; without a service every one of them is unknown."""
    passwords = {service: dict.fromkeys(its["accounts"], PASSWORD) for service, its in whole_stack["services"].items()}
    for port in whole_stack["services"][name]["ports"]:
        port["host"] = 1
    attempts = ATTACKS[name](make_probes(whole_stack, passwords, 1.0)[name], dict).attempts()
    assert len({attempt.name for attempt in attempts}) == len(attempts) >= 3
    assert all(attempt.title and attempt.how and attempt.expected for attempt in attempts)
    assert PASSWORD not in str(attempts)
    assert "no_password" in {attempt.name for attempt in attempts}
    found = outcomes(ATTACKS[name](make_probes(whole_stack, passwords, 1.0)[name], dict))
    assert {outcome for outcome, _ in found.values()} == {"unknown"}
