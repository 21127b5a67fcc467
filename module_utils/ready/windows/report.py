# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `diagnose` prints of Windows hosts: state, checks and steps of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: What the plans of the roles for Windows are registered as.
PLANS = ("__wsl2", "__docker_desktop", "__windows_network")


def _of(own: Mapping[str, Any]) -> dict[str, Any]:
    if fault := own.get("_diagnose_fault"):
        read = own.get("__windows_preflight_read") or {}
        return {"fault": fault, "state": read.get("result"), "raw": read.get("raw")}
    plans = [own[name]["plan"] for name in PLANS]
    return {
        "state": own["ready_windows"]["state"],
        "checks": own["__windows_preflight"]["checks"] + [check for plan in plans for check in plan["checks"]],
        "steps": [step for plan in plans for step in plan["steps"]],
    }


def report(variables: Mapping[str, Mapping[str, Any]], hosts: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return state, checks and steps of each host; where there was a fault, that, and what was read at all.

    Args:
        variables: host -> its variables.
        hosts: those to report.
    """
    return {host: _of(variables[host]) for host in hosts}
