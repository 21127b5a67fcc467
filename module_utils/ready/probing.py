# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Health of all services at once, under one deadline. Runs where the services are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .engine import EngineError, connect, memory_readers, read_authorities, read_secrets
from .services import NAMES, probe_class
from .services.base import Probe, ask_all

if TYPE_CHECKING:
    from docker import DockerClient

#: Seconds for a single step or request, and for all services' health.
TIMEOUT, HEALTH_SECONDS = 5.0, 20.0
#: Service -> its probe.
PROBES: dict[str, type[Probe]] = {name: probe_class(name) for name in NAMES}


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


def know_containers(probes: Mapping[str, Probe], client: DockerClient, stack: Mapping[str, Any]) -> None:
    """Let probes ask Docker about their containers."""
    for name, reader in memory_readers(client, stack).items():
        probes[name].container_memory = reader


def host_probes(stack: Mapping[str, Any], timeout: float) -> dict[str, Probe]:
    """Return the same on the host itself, with passwords and CA certificates as the config volumes hold them.

    They know their containers, too.

    Where Docker does not answer they are unknown: then no service answers either, and each one says so.
    """
    try:
        client = connect()
        passwords, authorities = read_secrets(client, stack), read_authorities(client, stack)
    except EngineError:
        return make_probes(stack, {}, timeout)
    probes = make_probes(stack, passwords, timeout, authorities)
    know_containers(probes, client, stack)
    return probes


def deep_health(probes: Mapping[str, Probe], deadline: float) -> dict[str, dict[str, Any]]:
    """Return service -> {verdict, seconds, checks}: every service proven by its data. See `ask_all`."""
    return ask_all(probes, "deep", deadline)


def cheap_health(probes: Mapping[str, Probe], deadline: float) -> dict[str, dict[str, Any]]:
    """Return the same of one question each that reads alone, for watching: probes keep their connections."""
    return ask_all(probes, "probe", deadline)


#: Level -> how all services are asked.
LEVELS = {"probe": cheap_health, "deep": deep_health}
