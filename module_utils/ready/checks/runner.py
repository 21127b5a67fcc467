# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run the parts of a check that ask the services themselves. Runs where the services are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from ..common.concurrency import run_all
from ..docker.readback import read_running
from ..docker.state import EngineError, connect
from ..latency.paths import measure_paths
from ..latency.runner import measure_stack
from ..secrets.redaction import without_secrets
from ..security.runner import read_security
from ..security.verdicts import unread_findings
from ..stack.external import endpoint_identities
from .make_probes import host_probes
from .parts import ASKED_PARTS
from .probe import HEALTH_SECONDS, LEVELS, TIMEOUT, Probe, unanswered

#: Seconds for the containers of `security`, and again for the rest of it; for any one service's network paths; after
#: which no more latency is measured.
SECURITY_SECONDS, NETWORK_SECONDS, LATENCY_SECONDS = 20.0, 10.0, 60.0
#: Round trips over each path, and requests of a judged operation.
TRIPS, SAMPLES = 50, 1000
#: Seconds for `health` and `security` together, far beyond their own deadlines.
_RUN_SECONDS = 300.0


@dataclass
class CheckRunner:
    """Each method is a part, and returns what the module that its docstring names documents.

    Attributes:
        stack: the resolved stack.
        timeout: seconds for a single step or request.
        external: what services elsewhere are asked with, by `external.pack_secrets`; without it nobody asks them.
    """

    stack: Mapping[str, Any]
    timeout: float = TIMEOUT
    external: str = ""

    @cached_property
    def probes(self) -> dict[str, Probe]:
        """Service -> its probe."""
        return host_probes(self.stack, self.timeout, self.external)

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
        """Return the part `security`."""
        try:
            return {"found": read_security(self.stack, self.probes, deadline)}
        except EngineError as error:
            return {"found": unread_findings(self.stack, str(error))}

    def network(self, samples: int = TRIPS, deadline: float = NETWORK_SECONDS) -> dict[str, Any]:
        """Return the part `network`."""
        own = {name: probe for name, probe in self.probes.items() if name in self.stack["services"]}
        return {"services": measure_paths(own, self.running[0], samples, deadline)}

    def latency(
        self,
        services: Sequence[str] | None = None,
        samples: int = SAMPLES,
        previous: Mapping[str, Any] | None = None,
        deadline: float = LATENCY_SECONDS,
        meanwhile: Callable[[], None] = lambda: None,
        alone: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """library/service_latency.py; `meanwhile` and `alone` are as `latency.runner.measure_stack` has them."""
        running, directory = self.running
        return measure_stack(
            {name: probe for name, probe in self.probes.items() if services is None or name in services},
            {name: its["image_id"] for name, its in running.items()} | endpoint_identities(self.stack),
            samples,
            deadline,
            (previous or {}).get("results", {}),
            directory,
            meanwhile,
            alone,
        )

    def run(
        self,
        parts: Sequence[str] = ASKED_PARTS,
        deadline: float = HEALTH_SECONDS,
        samples: int = SAMPLES,
        previous: Mapping[str, Any] | None = None,
    ) -> dict[str, dict[str, Any]]:
        """library/stack_check.py.

        Health and security run at once, and while the fixtures of latency are built. What is measured is measured
        after that and alone: first the network paths, then latency. Where health or security breaks off, that is what
        is found of them, and the other parts stand.

        Args:
            parts: of `ASKED_PARTS`.
            deadline: seconds for health.
            samples: requests of a judged operation.
            previous: the earlier evidence of latency.
        """
        found: dict[str, dict[str, Any]] = {}
        asked: dict[str, Callable[[], dict[str, Any]]] = {
            "health": partial(self.health, deadline=deadline),
            "security": self.security,
        }

        def ask_services() -> None:
            done, wrong = run_all({name: call for name, call in asked.items() if name in parts}, _RUN_SECONDS)
            found.update(done)
            found.update({name: self._interrupted(name, why) for name, why in wrong.items()})

        def measure_network() -> None:
            if "network" in parts:
                found["network"] = self.network()

        _ = self.probes  # read before the threads begin
        if "latency" in parts:
            found["latency"] = self.latency(
                samples=samples, previous=previous, meanwhile=ask_services, alone=measure_network
            )
        else:
            ask_services()
            measure_network()
        return found

    def _interrupted(self, part: str, why: str) -> dict[str, Any]:
        """Return what `health` or `security` found when it ended by an exception, without any password."""
        why = without_secrets(why, [secret for probe in self.probes.values() for secret in probe.passwords.values()])
        if part == "security":
            return {"found": unread_findings(self.stack, why)}
        return {"services": {name: unanswered(probe.checks, 0.0, why) for name, probe in self.probes.items()}}
