# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decisions about a host and its Docker, as filters."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready import compatibility, dockerengine, dockerproxy, preflight  # Ansible offers module_utils to modules alone
from ready.backups import interrupted
from ready.checkrow import Limits
from ready.daemonjson import DaemonJsonError
from ready.definitions import parse_size
from ready.dockerproxy import ProxyError


def ready_preflight(
    facts: Mapping[str, Any],
    stack: Mapping[str, Any],
    state: Mapping[str, Any] | None = None,
    images: Mapping[str, Any] | None = None,
    memory_margin: str | int = "256m",
    disk_free: str | int = "10g",
    clock_skew: float = 5,
    docker_backend: str = "",
) -> list[dict[str, str]]:
    """Return the checks as rows; the controller's clock is read here, after the facts were."""
    try:
        limits = Limits(parse_size(memory_margin), parse_size(disk_free), float(clock_skew))
    except ValueError as error:
        raise AnsibleFilterError(f"preflight_memory_margin or preflight_disk_free: {error}") from error
    checks = preflight.evaluate(
        facts, stack, state, limits=limits, images=images, now=time.time(), docker_backend=docker_backend
    )
    checks += [compatibility.check(stack, state or {}, compatibility.load()), *interrupted.checks(state or {})]
    return preflight.rows(checks)


def ready_docker_plan(facts: Mapping[str, Any], host: str, **options: Any) -> dict[str, Any]:
    """Return what role docker_engine has to do; see dockerengine.plan."""
    try:
        return dockerengine.plan(facts, **options)
    except DaemonJsonError as error:
        raise AnsibleFilterError(
            f"{host}: /etc/docker/daemon.json: found {error}. Nothing was changed. Next: mend the file, then run again"
        ) from error
    except ProxyError as error:
        raise AnsibleFilterError(
            f"{host}: docker_engine_proxy: found that {error}. Nothing was changed. Next: correct it, then run again"
        ) from error


class FilterModule:
    """Filters over the facts of a host."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_preflight": ready_preflight,
            "ready_preflight_verdict": preflight.verdict,
            "ready_preflight_failures": lambda checks, host: preflight.failures(host, checks),
            "ready_docker_plan": ready_docker_plan,
            "ready_docker_proxy": dockerproxy.content,
            "ready_docker_proxy_text": {"unit": dockerproxy.UNIT, "line": dockerproxy.LINE}.__getitem__,
        }
