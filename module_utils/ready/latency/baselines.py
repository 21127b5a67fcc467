# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Baselines of latency that earlier results hold. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Baselines that are kept for an operation beside the one in use: those of other images and settings, the newest.
KEPT_BASELINES = 4


def usable_baseline(
    previous: Mapping[str, Any], service: str, operation: str, image_id: str | None, samples: int
) -> dict[str, Any] | None:
    """Return the baseline that earlier results hold for an operation, if it was made with this image and setting.

    Args:
        previous: results of the earlier evidence; empty when there is none.
        service: name of the service.
        operation: name of the operation.
        image_id: of the running container.
        samples: requests asked for.
    """
    known = _baselines(previous, service, operation)
    return next((its for its in known if (its["image_id"], its["samples"]) == (image_id, samples)), None)


def _baselines(results: Mapping[str, Any], service: str, operation: str) -> list[dict[str, Any]]:
    """Return the baselines that results hold for an operation, the one in use first, then the newest."""
    used = results.get("services", {}).get(service, {}).get(operation, {}).get("baseline")
    kept = results.get("baselines", {}).get(service, {}).get(operation, [])
    return [dict(its) for its in [*([used] if used else []), *kept]]


def kept_baselines(
    previous: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return service -> operation -> the earlier baselines that are not in use now, for a later run that they fit.

    Without them a service that is down once, or one run with other settings, would make the next run the new baseline,
    however slow it is.

    Args:
        previous: results of the earlier evidence; empty when there is none.
        services: those of the new results: service -> operation -> what was measured.
    """
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for service in sorted({*previous.get("services", {}), *previous.get("baselines", {})}):
        names = {*previous.get("services", {}).get(service, {}), *previous.get("baselines", {}).get(service, {})}
        for operation in sorted(names):
            used = services.get(service, {}).get(operation, {}).get("baseline") or {}
            now = (used.get("image_id"), used.get("samples"))
            others = [
                its for its in _baselines(previous, service, operation) if (its["image_id"], its["samples"]) != now
            ]
            if others:
                found.setdefault(service, {})[operation] = others[:KEPT_BASELINES]
    return found
