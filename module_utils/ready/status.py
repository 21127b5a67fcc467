# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stack's state as rows and messages for people, and as the results of the evidence `health`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from .container import (
    CONFIG_PATH,
    LABEL_CONFIG,
    LABEL_ENGINE,
    LABEL_KEPT,
    LABEL_KEPT_FOR,
    LEFTOVERS,
    SIDECARS,
    containers,
    desired,
    differences,
    other_image,
)


def human_size(size: float | None) -> str:
    """Return bytes with a binary unit, "-" for unknown."""
    if size is None:
        return "-"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit in {"B", "KiB"} else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError


def uptime(started_at: str | None, now: datetime | None = None) -> str:
    """Return how long ago an RFC 3339 time was, as "3d 4h", "5h 2m", "7m 1s" or "12s"."""
    if not started_at or started_at.startswith("0001-"):
        return "-"
    started = datetime.fromisoformat(started_at[:19]).replace(tzinfo=timezone.utc)
    seconds = max(0, int(((now or datetime.now(timezone.utc)) - started).total_seconds()))
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    first = next((index for index, (number, _) in enumerate(parts) if number), 3)
    return " ".join(f"{number}{unit}" for number, unit in parts[first : first + 2] if number or unit == "s")


def service_state(found: Mapping[str, Any], waited: Mapping[str, Any] | None = None) -> str:
    """Return one word: healthy, starting, unhealthy, exited, absent …; what was waited for counts most."""
    if waited:
        return str(waited["state"])
    if found.get("running") and found.get("status") not in {"paused", "restarting"}:  # Docker calls those running too
        return str(found.get("health") or "running")
    return str(found.get("status", "absent"))


def health_results(
    stack: Mapping[str, Any], state: Mapping[str, Any], images: Mapping[str, Any], waited: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the results of the evidence `health`, as `up` can know them: each service's own health test."""
    services = {}
    for name in stack["services"]:
        found, wait, image = state["services"].get(name, {}), waited.get(name), images.get(name, {})
        services[name] = {
            "state": service_state(found, wait),
            "seconds": wait["seconds"] if wait else None,
            "image": image.get("ref"),
            "image_id": image.get("id"),
            "source": image.get("source"),
            "engine_version": image.get("engine_version"),
            "detail": (wait or {}).get("detail", ""),
            "container_id": found.get("id"),
            "started_at": found.get("started_at"),
        }
    sidecars = {
        name: {
            "state": service_state(found, waited.get(name)),
            "container_id": found.get("id"),
            "started_at": found.get("started_at"),
        }
        for name in stack.get("sidecars", {})
        for found in [state["services"].get(name, {})]
    }
    return {"services": services, **({"sidecars": sidecars} if sidecars else {})}


def checked(results: Mapping[str, Any]) -> bool:
    """Return whether results of the evidence `health` hold what every service said when it was asked by `check`."""
    services = results.get("services", {})
    return bool(services) and all(its.get("checks") for its in services.values())


def still_shows(earlier: Mapping[str, Any], results: Mapping[str, Any]) -> bool:
    """Return whether earlier results of the evidence `health` say all that new ones do, and more.

    They do when every service was asked about its data and is the same run of the same container, healthy then and
    now. So an `up` that finds nothing to do does not wipe out what `check` found.
    """
    before, now = earlier.get("services", {}), results["services"]
    same = ("container_id", "started_at", "state")
    return (
        checked(earlier)
        and set(before) == set(now)
        and all(
            now[name]["state"] == "healthy"
            and now[name]["container_id"]
            and all(before[name].get(key) == now[name][key] for key in same)
            for name in now
        )
    )


def kept_lines(state: Mapping[str, Any], host: str) -> list[str]:
    """Return a line per container of the stack that the inventory does not name; `up` keeps what is a service's."""
    return [
        f"{host}: {item['name']} ({item['status']}): a run that was killed left it. Next: ./ready up deals with it"
        if item.get("leftover")
        else f"{host}: {item['name']} ({item['status']}) is switched off. Next: ./ready up removes it; its data stay"
        if item["service"] in SIDECARS
        else f"{host}: {item['name']} ({item['status']}) is not in the inventory: kept, and so are its data. Next: "
        f"name its service in ready_services again, or docker stop {item['name']} and docker rm {item['name']}, which "
        "leave its volumes"
        for item in state["others"]
    ]


def unwanted(stack: Mapping[str, Any], state: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (service, kind, name) of volumes and networks with the stack's label that the inventory does not name.

    Data that an upgrade keeps are wanted. Nothing removes these by itself: a volume may hold data.
    """
    named = {
        name
        for service in containers(stack).values()
        for name in [service["config_volume"], *(volume["name"] for volume in service["volumes"])]
    }
    volumes = [
        (volume["service"] or "?", "volume", name)
        for name, volume in sorted(state["volumes"].items())
        if volume["ours"] and name not in named and not {LABEL_KEPT, *LEFTOVERS} & set(volume["labels"])
    ]
    return volumes + [("?", "network", name) for name in state.get("other_networks", [])]


def kept_volumes(state: Mapping[str, Any], details: Mapping[str, Any]) -> list[str]:
    """Return a line per volume that an upgrade or a restore kept; `details` holds volume sizes, in bytes, by name."""
    return [
        f"kept: volume {name} ({human_size(details.get('volumes', {}).get(name))}), {volume['labels'][LABEL_KEPT]} of "
        f"{volume['labels'].get(LABEL_ENGINE, 'unknown')} before its "
        f"{volume['labels'].get(LABEL_KEPT_FOR, 'upgrade')}. "
        "Next: ./ready prune --kept removes it when the old data are no longer wanted"
        for name, volume in sorted(state["volumes"].items())
        if volume["ours"] and LABEL_KEPT in volume["labels"]
    ]


def drift(stack: Mapping[str, Any], name: str, found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return key -> {found, expected} of a service's container and its secret files; none for an absent container.

    A stack as a host describes it has no fingerprint of the files: there they are compared with the container's own.
    """
    if not found["exists"]:
        return {}
    service = containers(stack)[name]
    if "config_hash" not in service:
        service = {**service, "config_hash": (found["config"].get("labels") or {}).get(LABEL_CONFIG) or None}
    differing = differences(desired(service, stack["name"], stack["network"], None), found["config"])
    differing |= other_image(found["config"])
    if found.get("files_hash") != service.get("config_hash"):
        differing[CONFIG_PATH] = {"found": "other files", "expected": "those of the inventory"}
    return differing


def status_rows(stack: Mapping[str, Any], state: Mapping[str, Any], details: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row per service for `status`; `details` holds memory in use and volume sizes, in bytes, by name."""
    rows = []
    for name, service in containers(stack).items():
        found = state["services"][name]
        image = found.get("image", {})
        digest = next((item.rpartition("@")[2] for item in image.get("digests", [])), image.get("id"))
        rows.append(
            {
                "service": name,
                "state": service_state(found),
                "container": service["container"],
                "image": image.get("ref", "-"),
                "digest": (digest or "-")[:19],
                "uptime": uptime(found.get("started_at")) if found.get("running") else "-",
                "memory": " / ".join(
                    map(human_size, (details.get("memory", {}).get(name), service["limits"]["memory"]))
                ),
                "volumes": ", ".join(
                    f"{item['name']} {human_size(details.get('volumes', {}).get(item['name']))}"
                    for item in service["volumes"]
                ),
                "ports": ", ".join(f"{port['bind']}:{port['host']}" for port in service["ports"]),
                "drift": ", ".join(sorted(drift(stack, name, found))) or "none",
            }
        )
    rows += [
        {
            "service": item["service"] or "?",
            "state": item["status"],
            "container": item["name"],
            "drift": "left by a killed run" if item.get("leftover") else "not in the inventory: kept",
        }
        for item in state["others"]
    ]
    return rows
