# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the probes of all services share, and the health of all services at once, under one deadline."""

from __future__ import annotations

import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Protocol

from ..common.concurrency import run_all
from ..common.tls_client import client_context, judge, served_certificate
from ..common.verdict import FAIL, NOT_APPLICABLE, PASS, worst
from ..connections.endpoints import CheckError as CheckError
from ..connections.endpoints import Endpoint
from ..connections.endpoints import FaultError as FaultError
from ..connections.endpoints import UnknownError as UnknownError
from ..secrets.redaction import without_secrets

#: Seconds for a single step or request, and for all services' health.
TIMEOUT, HEALTH_SECONDS = 5.0, 20.0
#: Everything that a probe makes in a service begins with this, so that leftovers are not taken for user data.
MARK = "ready-probe"
#: Leftovers of an interrupted run are removed once they are older than this; younger ones may be another run's.
LEFTOVER_SECONDS = 600
#: Share of a limit (connections, memory) beyond which a service is no longer called healthy.
FULL = 0.9
#: Name of the cheap check that `Probe.probe` makes, of every service.
ANSWERS = "answers"
_DETAIL = 300


class Closeable(Protocol):
    """What a driver gives: a client, a connection, a session."""

    def close(self) -> Any:
        """Close it."""


@dataclass
class CheckOutcome:
    """The outcome of one check; `figures` are measured, in the unit that their name ends with."""

    verdict: str
    seconds: float
    detail: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


def fixture_name(separator: str) -> str:
    """Return a name of this run's own: ready-probe, the time in seconds, and a random part."""
    return separator.join([*MARK.split("-"), str(int(time.time())), uuid.uuid4().hex[:12]])


def stale_fixtures(names: Sequence[str], separator: str) -> list[str]:
    """Return those names that an interrupted run left behind: ours, and older than any run takes."""
    prefix, now = separator.join([*MARK.split("-"), ""]), time.time()
    made = {name: name.removeprefix(prefix).split(separator) for name in names if name.startswith(prefix)}
    return [
        name
        for name, parts in made.items()
        if len(parts) == 2 and parts[0].isdigit() and int(parts[0]) < now - LEFTOVER_SECONDS
    ]


def expect(what: str, found: Any, expected: Any) -> None:
    """Raise CheckError unless both are equal."""
    if found != expected:
        raise CheckError(f"{what}: found {found!r}, expected {expected!r}")


def attempt(check: Callable[[], Mapping[str, Any]], secrets: Iterable[str] = ()) -> CheckOutcome:
    """Run a check to its outcome. Whatever it raises is its failure, in one line without any of `secrets`."""
    started = time.monotonic()
    try:
        figures = dict(check())
    except Exception as error:  # a probe reports: no driver's error may end it
        text = " ".join(str(error).split()) or type(error).__name__
        if not isinstance(error, CheckError):
            text = f"{type(error).__name__}: {text}"
        verdict = NOT_APPLICABLE if isinstance(error, UnknownError) else FAIL
        return CheckOutcome(verdict, round(time.monotonic() - started, 4), without_secrets(text, secrets)[:_DETAIL])
    return CheckOutcome(PASS, round(time.monotonic() - started, 4), "", figures)


def close_quietly(connection: Closeable) -> None:
    """Close a connection that is no longer needed. Whatever its driver raises says nothing about the service."""
    with suppress(Exception):
        connection.close()


class Probe(Endpoint):
    """A service, asked by its real driver. Touches nothing but what it made itself, and removes that.

    `deep` proves it by its data, on separate connections; `probe` asks one question that reads alone, on a connection
    that is kept from one round to the next.

    Args:
        service: the resolved service, of which ports, accounts, image and database are read.
        passwords: account -> password; empty for a service without accounts.
        timeout: seconds that any single step may take.
        ca: certificates (PEM) that the service's own must be signed by, where it speaks TLS.
    """

    #: Name of each deep check: the method that makes it.
    checks: tuple[str, ...]

    def __init__(
        self,
        service: Mapping[str, Any],
        passwords: Mapping[str, str],
        timeout: float = TIMEOUT,
        ca: str | None = None,
    ) -> None:
        super().__init__(service, passwords, ca)
        self.timeout = timeout
        #: Asks Docker for the bytes that the container's processes hold and for its limit (0: none); None is unknown.
        self.container_memory: Callable[[], tuple[int, int] | None] = lambda: None
        #: Whether the container is to be as the settings say; else an older one, not made again yet, is no fault.
        self.as_configured = True
        #: Asks Docker for the seconds of processors that the container has used since its start; None is unknown.
        self.container_seconds: Callable[[], float | None] = lambda: None
        self._kept: Any = None
        self._asking = threading.Lock()
        if self.tls:
            self.checks = ("certificate", *self.checks)  # the cause, before what follows of it

    def context(self) -> ssl.SSLContext:
        """Return what to verify the service's certificate with."""
        return client_context(self.authority(), self.check_names)

    def certificate(self) -> Mapping[str, Any]:
        """Check the served certificate: CA, names, and that enough days are left."""
        port, given = self.service["ports"][0], not self.check_names
        step = "replace the given file, then ./ready up" if given else "./ready up renews it"
        address = self.address(port["name"])
        served: dict[str, Any] = {}
        for name in self.service["tls"]["names"] if given else [address[0]]:
            try:
                served = served_certificate(address, port["protocol"], self.authority(), name, self.timeout)
            except ssl.SSLCertVerificationError as error:
                raise CheckError(
                    f"the certificate under the name {name}: {error.verify_message}. Next: {step}"
                ) from error
        fault, figures = judge(served, time.time(), step)
        if fault:
            raise CheckError(fault)
        return figures

    def deep(self) -> dict[str, dict[str, Any]]:
        """Return check -> outcome: verdict, seconds, detail, figures."""
        secrets = list(self.passwords.values())
        return {name: asdict(attempt(getattr(self, name), secrets)) for name in self.checks}

    def open(self) -> Any:
        """Return a connection of the app account that `ping` can ask again and again."""
        raise NotImplementedError

    def ping(self, connection: Any) -> Mapping[str, Any]:
        """Ask one cheap question that reads alone. Raises what is wrong; returns figures."""
        raise NotImplementedError

    def probe(self) -> dict[str, dict[str, Any]]:
        """Return {ANSWERS: outcome} of one cheap question, on the kept connection or, where that is lost, a new one."""
        if not self._asking.acquire(blocking=False):  # a driver is not asked from two threads at once
            return {ANSWERS: asdict(CheckOutcome(FAIL, 0.0, "the question of an earlier round is still unanswered"))}
        try:
            return {ANSWERS: asdict(attempt(self._ask_kept, self.passwords.values()))}
        finally:
            self._asking.release()

    def _ask_kept(self) -> Mapping[str, Any]:
        if self._kept is not None:
            try:
                return self.ping(self._kept)
            except Exception:  # lost since the last round; a new connection decides whether the service is well
                self._drop_kept()
        self._kept = self.open()
        try:
            return self.ping(self._kept)
        except Exception:
            self._drop_kept()
            raise

    def close(self) -> None:
        """Close the kept connection, unless a question is still asked on it: that one ends with the process."""
        if self._asking.acquire(blocking=False):
            try:
                self._drop_kept()
            finally:
                self._asking.release()

    def _drop_kept(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            close_quietly(kept)


def step_seconds(deadline: float) -> float:
    """Return the seconds for a single step under a deadline of all services' health: a quarter, at least TIMEOUT."""
    return max(TIMEOUT, deadline / 4)


def ask_all(probes: Mapping[str, Probe], level: str, deadline: float) -> dict[str, dict[str, Any]]:
    """Return service -> {verdict, seconds, checks} of every probe, asked concurrently.

    Args:
        probes: service -> its probe.
        level: "probe" or "deep", the method to call.
        deadline: seconds for all of them together; a service that has not answered by then has failed. Its thread
            is a daemon's, so that a service which hangs can't hold up the end of the process.
    """
    started = time.monotonic()

    def ask(probe: Probe) -> dict[str, Any]:
        checks: dict[str, dict[str, Any]] = getattr(probe, level)()
        return {
            "verdict": worst(check["verdict"] for check in checks.values()),
            "seconds": round(time.monotonic() - started, 4),
            "checks": checks,
        }

    outcomes, _ = run_all({name: partial(ask, probe) for name, probe in probes.items()}, deadline)
    late = f"no answer within {deadline:g} s"
    return {
        name: outcomes.get(name) or unanswered(probe.checks if level == "deep" else (ANSWERS,), deadline, late)
        for name, probe in list(probes.items())
    }


def unanswered(checks: Iterable[str], seconds: float, detail: str) -> dict[str, Any]:
    """Return {verdict, seconds, checks} of a service that did not answer: each of its checks has failed."""
    outcome = CheckOutcome(FAIL, seconds, detail)
    return {"verdict": FAIL, "seconds": seconds, "checks": {check: asdict(outcome) for check in checks}}


def deep_health(probes: Mapping[str, Probe], deadline: float) -> dict[str, dict[str, Any]]:
    """Return service -> {verdict, seconds, checks}: every service proven by its data. See `ask_all`."""
    return ask_all(probes, "deep", deadline)


def cheap_health(probes: Mapping[str, Probe], deadline: float) -> dict[str, dict[str, Any]]:
    """Return the same of one question each that reads alone, for watching: probes keep their connections."""
    return ask_all(probes, "probe", deadline)


#: Level -> how all services are asked.
LEVELS = {"probe": cheap_health, "deep": deep_health}
