# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Deep health of all services at once, under one deadline. Runs where the services are."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from .services.base import Probe
from .services.chromadb import ChromaDB
from .services.gateway import Gateway
from .services.neo4j import Neo4j
from .services.postgresql import PostgreSQL
from .services.redis import Redis

#: Service -> its probe; a new service's class is named here.
PROBES: dict[str, type[Probe]] = {
    "postgresql": PostgreSQL,
    "neo4j": Neo4j,
    "chromadb": ChromaDB,
    "redis": Redis,
    "gateway": Gateway,
}


def make_probes(
    stack: Mapping[str, Any],
    passwords: Mapping[str, Mapping[str, str]],
    timeout: float,
    authorities: Mapping[str, str] | None = None,
) -> dict[str, Probe]:
    """Return service -> its probe, for every service of a resolved stack.

    Args:
        stack: the resolved stack.
        passwords: service -> account -> password, as `engine.read_secrets` finds them.
        timeout: seconds that any single step may take.
        authorities: service -> CA certificate, as `engine.read_authorities` finds them.
    """
    return {
        name: PROBES[name](service, passwords.get(name, {}), timeout, (authorities or {}).get(name))
        for name, service in stack["services"].items()
    }


def _verdict(checks: Mapping[str, Mapping[str, Any]]) -> str:
    return "pass" if checks and all(check["verdict"] == "pass" for check in checks.values()) else "fail"


def deep_health(probes: Mapping[str, Probe], deadline: float) -> dict[str, dict[str, Any]]:
    """Return service -> {verdict, seconds, checks} of every probe, asked concurrently.

    Args:
        probes: service -> its probe.
        deadline: seconds for all of them together; a service that has not answered by then has failed. Its thread
            is a daemon's, so that a service which hangs can't hold up the end of the process.
    """
    started = time.monotonic()
    outcome: dict[str, dict[str, Any]] = {}

    def ask(name: str, probe: Probe) -> None:
        checks = probe.deep()
        outcome[name] = {
            "verdict": _verdict(checks),
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
    late = {"verdict": "fail", "seconds": deadline, "detail": f"no answer within {deadline:g} s", "figures": {}}
    return {
        name: outcome.get(
            name, {"verdict": "fail", "seconds": deadline, "checks": {check: dict(late) for check in probe.checks}}
        )
        for name, probe in list(probes.items())
    }
