# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each role for Windows has to do, from the variable `ready_windows` and the role's own variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.units import parse_size
from . import docker_desktop, network, preflight, removal, stack_ports, wsl


def _fit(windows: Mapping[str, Any]) -> bool:
    """Return whether the state says enough for plans: what is not known at all makes windows_preflight fail."""
    return all(windows["state"][part] is not None for part in preflight.needed(windows["backend"]))


def _size(variable: str, given: str | int) -> int:
    """Return a size in bytes. Raises ValueError that names the variable."""
    try:
        return parse_size(given)
    except ValueError as error:
        raise ValueError(f"{variable}: {error}") from error


def preflight_rows(windows: Mapping[str, Any], *, disk_free: str, clock_skew: float) -> list[dict[str, str]]:
    """Return the checks of role windows_preflight, as rows.

    Args:
        windows: the variable `ready_windows`.
        disk_free: the space that must be free, such as "30g".
        clock_skew: seconds that clocks may differ.

    Raises ValueError for a size that is none.
    """
    return preflight.evaluate(
        windows["state"],
        before=windows["before"],
        after=windows["after"],
        disk_free=_size("windows_preflight_disk_free", disk_free),
        clock_skew=clock_skew,
        backend=windows["backend"],
    )


def wsl_plan(windows: Mapping[str, Any], *, disk_limit: str, **options: Any) -> dict[str, Any]:
    """Return the plan of role wsl2.

    Args:
        windows: the variable `ready_windows`.
        disk_limit: the size that the distro's disk may have, such as "200g"; "" for no limit.
        options: the other fields of distro.Options, but for those that `windows` has.

    Raises ValueError for a size that is none.
    """
    if not _fit(windows):
        return {"checks": [], "steps": []}
    given = {key: windows[key] for key in ("distribution", "location", "user")}
    return wsl.plan(windows["state"], **given, disk_limit=_size("wsl2_disk_limit", disk_limit or 0), **options)


def docker_desktop_plan(windows: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Return the plan of role docker_desktop; `options` are its fields of Options that `windows` does not have."""
    if not _fit(windows):
        return {"checks": [], "steps": [], "wanted": False}
    given = {key: windows[key] for key in ("distribution", "backend")}
    return docker_desktop.plan(windows["state"], **given, **options)


def network_plan(windows: Mapping[str, Any], stack: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Return the plan of role windows_network, and under `closed` what it would be if it had been carried out.

    Args:
        windows: the variable `ready_windows`.
        stack: the resolved stack.
        options: the other fields of network_options.Options.
    """
    if not _fit(windows):
        nothing: dict[str, Any] = {"checks": [], "steps": []}
        return {**nothing, "closed": network.closed(windows["state"], nothing)}
    given = {key: windows[key] for key in ("distribution", "backend")}
    given |= {"stack": stack["name"], "ports": stack_ports.published_ports(stack)}
    plan = network.plan(windows["state"], **given, **options)
    return {**plan, "closed": network.closed(windows["state"], plan)}


def destroy_plan(windows: Mapping[str, Any], stack: Mapping[str, Any], *, distro: bool) -> dict[str, Any]:
    """Return what `windows destroy` removes; `distro` says whether the distro goes as well."""
    return removal.plan(windows["state"], stack=stack["name"], distribution=windows["distribution"], distro=distro)
