# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the probes of all services share: where the service is, and how a check's outcome is told."""

from __future__ import annotations

import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..leaks import hidden
from ..part import FAIL, NOT_APPLICABLE, PASS, worst
from .transport import client_context, judge, served_certificate

#: Everything that a probe makes in a service begins with this, so that leftovers are told from user data.
MARK = "ready-probe"
#: Leftovers of an interrupted run are removed once they are older than this; younger ones may be another run's.
LEFTOVER_SECONDS = 600
#: Share of a limit (connections, memory) beyond which a service is no longer called healthy.
FULL = 0.9
#: Name of the cheap check that `Probe.probe` makes, of every service.
ANSWERS = "answers"
_DETAIL = 300


class CheckError(Exception):
    """What a service answered is not what it should have."""


class UnknownError(CheckError):
    """The settings name no such account or port, so what needs it can't be asked."""


@dataclass
class Check:
    """The outcome of one check; `figures` are measured, in the unit that their name ends with."""

    verdict: str
    seconds: float
    detail: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


def fixture_name(separator: str) -> str:
    """Return a name of this run's own: ready-probe, the time in seconds, and a random part."""
    return separator.join([*MARK.split("-"), str(int(time.time())), uuid.uuid4().hex[:12]])


def left_over(names: Sequence[str], separator: str) -> list[str]:
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


def attempt(check: Callable[[], Mapping[str, Any]], secrets: Iterable[str] = ()) -> Check:
    """Run a check to its outcome. Whatever it raises is its failure, told in one line without any of `secrets`."""
    started = time.monotonic()
    try:
        figures = dict(check())
    except Exception as error:  # a probe reports: no driver's error may end it
        text = " ".join(str(error).split()) or type(error).__name__
        if not isinstance(error, CheckError):
            text = f"{type(error).__name__}: {text}"
        verdict = NOT_APPLICABLE if isinstance(error, UnknownError) else FAIL
        return Check(verdict, round(time.monotonic() - started, 4), hidden(text, secrets)[:_DETAIL])
    return Check(PASS, round(time.monotonic() - started, 4), "", figures)


class Probe:
    """A service, asked by its real driver. Touches nothing but what it made itself, and removes that.

    `deep` proves it by its data, on connections of its own; `probe` asks one question that reads alone, on a connection
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
        timeout: float = 5.0,
        ca: str | None = None,
    ) -> None:
        self.service, self.passwords, self.timeout, self.ca = service, passwords, timeout, ca
        #: Asks Docker for the bytes that the container's processes hold and for its limit (0: none); None is unknown.
        self.container_memory: Callable[[], tuple[int, int] | None] = lambda: None
        self._kept: Any = None
        self._asking = threading.Lock()
        self.tls = bool(service.get("tls", {}).get("enabled"))
        #: Ready's own certificates are for the address that is connected to; given ones for `tls.names`, which may
        #: be known elsewhere only, so `certificate` holds them against those.
        self.check_names = self.tls and not service["tls"]["certificate"]
        if self.tls:
            self.checks = ("certificate", *self.checks)  # the cause, before what follows of it

    def address(self, port: str) -> tuple[str, int]:
        """Return host and port to connect to; what is bound to every address is asked on loopback."""
        found = next((item for item in self.service["ports"] if item["name"] == port), None)
        if found is None:
            raise UnknownError(f"the settings name no port {port}")
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(found["bind"], found["bind"]), int(found["host"])  # noqa: S104

    def login(self, account: str) -> tuple[str, str]:
        """Return user and password of an account. Raises CheckError when its password is unknown."""
        if account not in self.service["accounts"]:
            raise UnknownError(f"the settings name no account {account}")
        if account not in self.passwords:
            raise CheckError(
                f"the password of the account {account} is neither in the service's config volume nor in the settings"
            )
        return self.service["accounts"][account]["login"], self.passwords[account]

    def authority(self) -> str:
        """Return the CA certificate to verify with, PEM. Raises CheckError when it is unknown."""
        if self.ca is None:
            raise CheckError("the CA certificate is neither in the service's config volume nor in the settings")
        return self.ca

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
            return {ANSWERS: asdict(Check(FAIL, 0.0, "the question of an earlier round is still unanswered"))}
        try:
            return {ANSWERS: asdict(attempt(self._ask_kept, self.passwords.values()))}
        finally:
            self._asking.release()

    def _ask_kept(self) -> Mapping[str, Any]:
        if self._kept is not None:
            try:
                return self.ping(self._kept)
            except Exception:  # lost since the last round; whether the service is well a new one tells
                self.close()
        self._kept = self.open()
        try:
            return self.ping(self._kept)
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Give the kept connection back."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()


def ask_all(probes: Mapping[str, Probe], level: str, deadline: float) -> dict[str, dict[str, Any]]:
    """Return service -> {verdict, seconds, checks} of every probe, asked concurrently.

    Args:
        probes: service -> its probe.
        level: "probe" or "deep", the method to call.
        deadline: seconds for all of them together; a service that has not answered by then has failed. Its thread
            is a daemon's, so that a service which hangs can't hold up the end of the process.
    """
    started = time.monotonic()
    outcome: dict[str, dict[str, Any]] = {}

    def ask(name: str, probe: Probe) -> None:
        checks: dict[str, dict[str, Any]] = getattr(probe, level)()
        outcome[name] = {
            "verdict": worst(check["verdict"] for check in checks.values()),
            "seconds": round(time.monotonic() - started, 4),
            "checks": checks,
        }

    threads = {
        name: threading.Thread(target=ask, args=(name, probe), daemon=True, name=name) for name, probe in probes.items()
    }
    for thread in threads.values():
        thread.start()
    for thread in threads.values():
        thread.join(max(0.0, started + deadline - time.monotonic()))
    late = f"no answer within {deadline:g} s"
    return {
        name: outcome.get(name) or unanswered(probe.checks if level == "deep" else (ANSWERS,), deadline, late)
        for name, probe in list(probes.items())
    }


def unanswered(checks: Iterable[str], seconds: float, detail: str) -> dict[str, Any]:
    """Return {verdict, seconds, checks} of a service that was asked and told nothing: each of its checks has failed."""
    outcome = Check(FAIL, seconds, detail)
    return {"verdict": FAIL, "seconds": seconds, "checks": {check: asdict(outcome) for check in checks}}
