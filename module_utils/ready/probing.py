# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Health of all services at once, under one deadline. Runs where the services are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from .engine import EngineError, connect, read_authorities, read_secrets
from .lazily import Lazily
from .services import NAMES, probe_class
from .services.base import Probe, ask_all
from .usage import read_memory

if TYPE_CHECKING:
    from docker import DockerClient

#: Seconds for a single step or request, and for all services' health.
TIMEOUT, HEALTH_SECONDS = 5.0, 20.0
#: Service -> its probe.
PROBES = Lazily(NAMES, probe_class)


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


def docker_probes(client: DockerClient, stack: Mapping[str, Any], timeout: float) -> dict[str, Probe]:
    """Return the same with what Docker knows: passwords and CA certificates of the config volumes, and memory."""
    probes = make_probes(stack, read_secrets(client, stack), timeout, read_authorities(client, stack))
    for probe in probes.values():
        probe.container_memory = partial(read_memory, client, probe.service["container"])
    return probes


def host_probes(stack: Mapping[str, Any], timeout: float) -> dict[str, Probe]:
    """Return the same on the host itself.

    Where Docker does not answer nothing of that is known: then no service answers either, and each one says so.
    """
    try:
        return docker_probes(connect(), stack, timeout)
    except EngineError:
        return make_probes(stack, {}, timeout)


def deep_health(probes: Mapping[str, Probe], deadline: float) -> dict[str, dict[str, Any]]:
    """Return service -> {verdict, seconds, checks}: every service proven by its data. See `ask_all`."""
    return ask_all(probes, "deep", deadline)


def cheap_health(probes: Mapping[str, Probe], deadline: float) -> dict[str, dict[str, Any]]:
    """Return the same of one question each that reads alone, for watching: probes keep their connections."""
    return ask_all(probes, "probe", deadline)


#: Level -> how all services are asked.
LEVELS = {"probe": cheap_health, "deep": deep_health}
