# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make the probes of services, with passwords and certificates for them. Runs where the services are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..docker.readback import read_authorities, read_secrets
from ..docker.state import EngineError, connect
from ..docker.usage import read_memory, read_seconds
from ..stack.external import unpack_secrets
from .probe import Probe
from .probes import PROBES

if TYPE_CHECKING:
    from docker import DockerClient


def make_probes(
    stack: Mapping[str, Any],
    passwords: Mapping[str, Mapping[str, str]],
    timeout: float,
    authorities: Mapping[str, str] | None = None,
) -> dict[str, Probe]:
    """Return service -> its probe, for every service of a resolved stack.

    Args:
        stack: the resolved stack.
        passwords: service -> account -> password, as `readback.read_secrets` finds them.
        timeout: seconds that any single step may take.
        authorities: service -> CA certificate, as `readback.read_authorities` finds them.
    """
    return {
        name: PROBES[name](service, passwords.get(name, {}), timeout, (authorities or {}).get(name))
        for name, service in stack["services"].items()
    }


def docker_probes(client: DockerClient, stack: Mapping[str, Any], timeout: float) -> dict[str, Probe]:
    """Return the same with what Docker knows: passwords and CA certificates of the config volumes, and usage."""
    probes = make_probes(stack, read_secrets(client, stack), timeout, read_authorities(client, stack))
    for probe in probes.values():
        probe.container_memory = partial(read_memory, client, probe.service["container"])
        probe.container_seconds = partial(read_seconds, client, probe.service["container"])
    return probes


def external_probes(stack: Mapping[str, Any], packed: str, timeout: float) -> dict[str, Probe]:
    """Return service -> its probe, of those services that somebody else's server is.

    Args:
        stack: the resolved stack.
        packed: what `external.pack_secrets` made on the controller: keys and CA certificates; nobody is asked without.
        timeout: seconds that any single step may take.
    """
    return {
        name: PROBES[name](stack["external"][name], access.passwords, timeout, access.ca)
        for name, access in unpack_secrets(packed).items()
    }


def host_probes(stack: Mapping[str, Any], timeout: float, packed: str = "") -> dict[str, Probe]:
    """Return the same of all services, on the host itself; `packed` is as `external_probes` has it.

    Where Docker does not answer nothing of that is known: then no service answers either, and each one says so.
    """
    elsewhere = external_probes(stack, packed, timeout)
    try:
        return docker_probes(connect(), stack, timeout) | elsewhere
    except EngineError:
        return make_probes(stack, {}, timeout) | elsewhere
