# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The parts of a check that ask the services themselves, each alone and all together. Runs where the services are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from .engine import EngineError, connect, read_running
from .intrusion import read_security
from .leaks import hidden
from .measuring import measure_stack
from .probing import HEALTH_SECONDS, LEVELS, TIMEOUT, host_probes
from .security import unread
from .services.base import Probe, unanswered
from .together import together
from .ways import measure_ways

#: Seconds for the containers of `security`, and again for the rest of it; for any one service's ways; after which no
#: more latency is measured.
SECURITY_SECONDS, NETWORK_SECONDS, LATENCY_SECONDS = 20.0, 10.0, 60.0
#: Round trips over each way, and requests of a judged operation.
TRIPS, SAMPLES = 50, 1000
#: Seconds for `health` and `security` together, far beyond their own deadlines.
_TOGETHER_SECONDS = 300.0
PARTS = ("health", "security", "network", "latency")


@dataclass
class Checkup:
    """Each method is a part, and returns what the module that its docstring names documents.

    Attributes:
        stack: the resolved stack.
        timeout: seconds for a single step or request.
    """

    stack: Mapping[str, Any]
    timeout: float = TIMEOUT

    @cached_property
    def probes(self) -> dict[str, Probe]:
        """Service -> its probe."""
        return host_probes(self.stack, self.timeout)

    @cached_property
    def running(self) -> tuple[dict[str, Any], str]:
        """What runs, by service, and a directory on Docker's file system."""
        try:
            client = connect()
            return read_running(client, self.stack), client.info()["DockerRootDir"]
        except EngineError:  # then nothing answers, and each service says so
            return {}, "/"

    def health(self, level: str = "deep", deadline: float = HEALTH_SECONDS) -> dict[str, Any]:
        """library/service_health.py."""
        return {"services": LEVELS[level](self.probes, deadline)}

    def security(self, deadline: float = SECURITY_SECONDS) -> dict[str, Any]:
        """library/stack_security.py."""
        try:
            return {"found": read_security(self.stack, self.probes, deadline)}
        except EngineError as error:
            return {"found": unread(self.stack, str(error))}

    def network(self, samples: int = TRIPS, deadline: float = NETWORK_SECONDS) -> dict[str, Any]:
        """library/network_latency.py."""
        return {"services": measure_ways(self.probes, self.running[0], samples, deadline)}

    def latency(
        self,
        services: Sequence[str] | None = None,
        samples: int = SAMPLES,
        previous: Mapping[str, Any] | None = None,
        deadline: float = LATENCY_SECONDS,
        meanwhile: Callable[[], None] = lambda: None,
        alone: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """library/service_latency.py; `meanwhile` and `alone` are as `measuring.measure_stack` has them."""
        running, directory = self.running
        return measure_stack(
            {name: probe for name, probe in self.probes.items() if services is None or name in services},
            {name: its["image_id"] for name, its in running.items()},
            samples,
            deadline,
            (previous or {}).get("results", {}),
            directory,
            meanwhile,
            alone,
        )

    def parts(
        self,
        parts: Sequence[str] = PARTS,
        deadline: float = HEALTH_SECONDS,
        samples: int = SAMPLES,
        previous: Mapping[str, Any] | None = None,
    ) -> dict[str, dict[str, Any]]:
        """library/stack_check.py.

        Health and attacks go on at once, and while the fixtures of latency are built. What is measured is measured
        after that and alone: first the ways, then latency. Where health or the attacks break off, that is what is found
        of them, and the other parts stand.

        Args:
            parts: of `PARTS`.
            deadline: seconds for health.
            samples: requests of a judged operation.
            previous: the earlier evidence of latency.
        """
        found: dict[str, dict[str, Any]] = {}
        asked: dict[str, Callable[[], dict[str, Any]]] = {
            "health": partial(self.health, deadline=deadline),
            "security": self.security,
        }

        def ask() -> None:
            done, wrong = together({name: call for name, call in asked.items() if name in parts}, _TOGETHER_SECONDS)
            found.update(done)
            found.update({name: self._broken_off(name, why) for name, why in wrong.items()})

        def ways() -> None:
            if "network" in parts:
                found["network"] = self.network()

        _ = self.probes  # read before the threads begin
        if "latency" in parts:
            found["latency"] = self.latency(samples=samples, previous=previous, meanwhile=ask, alone=ways)
        else:
            ask()
            ways()
        return found

    def _broken_off(self, part: str, why: str) -> dict[str, Any]:
        """Return what `health` or `security` found when it ended by an exception, told without any password."""
        why = hidden(why, [secret for probe in self.probes.values() for secret in probe.passwords.values()])
        if part == "security":
            return {"found": unread(self.stack, why)}
        return {"services": {name: unanswered(probe.checks, 0.0, why) for name, probe in self.probes.items()}}
