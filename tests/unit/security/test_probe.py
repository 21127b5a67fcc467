"""How attempts are reported; that services refuse them is tested on real ones."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import psycopg
import pytest
import redis
from ready.checks.make_probes import make_probes
from ready.checks.probe import Probe
from ready.checks.probes import PROBES
from ready.security.attempt import Attempt, RefusedError
from ready.security.probe import FOREIGN_HOST, SecurityProbe, rights
from ready.security.probes import SECURITY_PROBES
from ready.services.postgresql.probe import PostgreSQLProbe
from ready.services.redis.probe import RedisProbe
from ready.stack.definitions import load_definitions

SERVICE: dict[str, Any] = {"ports": [], "accounts": {"app": {"login": "kailash_app"}}}
PASSWORD = "Xk3vQ9mT2bLw7RzN5cHs8JdF4gYp6AeU"


class DriverError(Exception):
    """What a driver raises."""


class Attempts(SecurityProbe):
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


def outcomes(security_probe: SecurityProbe) -> dict[str, tuple[str, str]]:
    """Return id -> outcome and what was found."""
    return {item["id"]: (item["outcome"], item["found"]) for item in security_probe.run()}


def test_outcomes() -> None:
    """Got in, refused and could not be told are three things; no password is shown."""
    assert outcomes(Attempts(Probe(SERVICE, {"app": PASSWORD}), dict)) == {
        "got_in": ("succeeded", "in with ***"),
        "refused": ("refused", "DriverError: NOPERM no"),
        "none": ("refused", "none of it"),
        "lost": ("unknown", "DriverError: timed out"),
    }


def test_a_dead_service_refuses_nothing() -> None:
    """That nobody gets into a service that is down proves nothing."""
    security_probe = Attempts(Probe(SERVICE, {"app": PASSWORD}), dict)
    security_probe.dead = True
    found = outcomes(security_probe)
    assert {outcome for outcome, _ in found.values()} == {"unknown"}
    assert all("connection refused for ***" in text for _, text in found.values())


def test_an_impostor_connects_as_the_probe_does() -> None:
    """Same service, address, timeout and certificates; another login."""
    probe = Probe(SERVICE | {"database": "a"}, {"app": PASSWORD}, 3.0, "/ca.pem")
    other = Attempts(probe, dict).impostor("mallory", "x", database="b")
    assert other.login("impostor") == ("mallory", "x")
    assert (other.timeout, other.ca, other.service["database"]) == (3.0, "/ca.pem", "b")
    assert probe.service["database"] == "a"


def test_rights() -> None:
    """Any right is a success of the attacker's."""
    assert rights({"superuser": True, "createdb": False}) == "has superuser"
    with pytest.raises(RefusedError, match="none of superuser"):
        rights({"superuser": False})


def test_every_service_is_probed() -> None:
    """A service without attempts would never be found open."""
    assert set(SECURITY_PROBES) == set(load_definitions()) == set(PROBES)


@pytest.mark.parametrize("name", SECURITY_PROBES)
def test_what_is_tried(name: str, whole_stack: dict[str, Any]) -> None:
    """Each says what and how, under a name of its own; without a service every one of them is unknown."""
    passwords = {service: dict.fromkeys(its["accounts"], PASSWORD) for service, its in whole_stack["services"].items()}
    for port in whole_stack["services"][name]["ports"]:
        port["host"] = 1
    attempts = SECURITY_PROBES[name](make_probes(whole_stack, passwords, 1.0)[name], dict).attempts()
    assert len({attempt.name for attempt in attempts}) == len(attempts) >= 3
    assert all(attempt.title and attempt.how and attempt.expected for attempt in attempts)
    assert PASSWORD not in str(attempts)
    assert "no_password" in {attempt.name for attempt in attempts}
    found = outcomes(SECURITY_PROBES[name](make_probes(whole_stack, passwords, 1.0)[name], dict))
    assert {outcome for outcome, _ in found.values()} == {"unknown"}


def postgresql_that_refuses(monkeypatch: pytest.MonkeyPatch, whole_stack: dict[str, Any], said: str) -> Any:
    """Return the security probe of a PostgreSQL whose answer to every login is this, and the logins that asked."""
    tried: list[str] = []

    def connect(self: PostgreSQLProbe, account: str, **_: Any) -> Any:
        tried.append(self.login(account)[0])
        raise psycopg.OperationalError(said)

    monkeypatch.setattr(PostgreSQLProbe, "connect", connect)
    passwords = {"postgresql": dict.fromkeys(whole_stack["services"]["postgresql"]["accounts"], PASSWORD)}
    return SECURITY_PROBES["postgresql"](make_probes(whole_stack, passwords, 1.0)["postgresql"], dict), tried


def test_the_reader_has_no_password_either(monkeypatch: pytest.MonkeyPatch, whole_stack: dict[str, Any]) -> None:
    """It reads everything; an hba_file of the inventory's could let it in from anywhere."""
    told = (
        'FATAL:  pg_hba.conf rejects connection for host "10.0.0.1", user "ready_reader", database "x", no encryption'
    )
    security_probe, tried = postgresql_that_refuses(monkeypatch, whole_stack, told)
    assert security_probe.refusal(psycopg.OperationalError(told))
    attempt = next(its for its in security_probe.attempts() if its.name == "no_password")
    with pytest.raises(RefusedError, match="rejects connection"):
        attempt.run()
    assert tried == ["kailash_app", "postgres", "ready_reader"]


@pytest.mark.parametrize(
    ("absent", "outcome"),
    [("Command 'COMMANDLOG' not found", "refused"), ("User 'kailash_app' not found", "unknown")],
)
def test_redis_refuses_only_what_it_was_asked(
    monkeypatch: pytest.MonkeyPatch, whole_stack: dict[str, Any], absent: str, outcome: str
) -> None:
    """A command that the server has not is left out; of a user that is not there nothing is known."""

    class Client:
        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing is open."""

        def ping(self) -> None:
            """Be there."""

        def execute_command(self, *words: str) -> bytes:
            if words[:2] != ("ACL", "DRYRUN"):
                raise redis.exceptions.NoPermissionError("no")
            if "User" in absent or words[3] == "COMMANDLOG":
                raise redis.exceptions.ResponseError(absent)
            return b"User kailash_app has no permissions to run the command"

    monkeypatch.setattr(RedisProbe, "connect", lambda *_: Client())
    passwords = {"redis": dict.fromkeys(whole_stack["services"]["redis"]["accounts"], PASSWORD)}
    found = outcomes(SECURITY_PROBES["redis"](make_probes(whole_stack, passwords, 1.0)["redis"], dict))
    assert {found[name][0] for name in ("dangerous_commands", "monitor_reads_others")} == {outcome}
    told = found["monitor_reads_others"][1]
    assert "COMMANDLOG" not in told
    assert ("SLOWLOG GET, MONITOR" in told) is (outcome == "refused"), told


@pytest.mark.parametrize(
    ("own", "foreign", "outcome"),
    [(200, 200, "succeeded"), (200, 404, "refused"), (200, 403, "refused"), (404, 404, "unknown")],
)
def test_chromadb_refuses_a_name_when_it_answers_its_own(
    whole_stack: dict[str, Any], own: int, foreign: int, outcome: str
) -> None:
    """A path that is not there is no refusal."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(foreign if self.headers["Host"] == FOREIGN_HOST else own)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        whole_stack["services"]["chromadb"]["ports"][0]["host"] = server.server_port
        security_probe = SECURITY_PROBES["chromadb"](make_probes(whole_stack, {}, 1.0)["chromadb"], dict)
        security_probe.alive = lambda: None  # type: ignore[method-assign]
        found = outcomes(security_probe)
        server.shutdown()
    assert found["foreign_host"][0] == outcome, found
