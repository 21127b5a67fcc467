# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stack's state as rows and messages for people, and as the results of the evidence `health`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..common.labels import LABEL_CONFIG, LABEL_KEPT, LEFTOVERS
from ..common.units import human_size
from ..common.verdict import FAIL, PASS
from ..docker.drift import other_files, other_image, other_reloaded
from ..docker.spec import ContainerSpec
from ..stack import backends
from ..stack.resolved import CONFIG_PATH, containers, published_ports

#: State of a service that the inventory has switched off by its backend, and of an endpoint that was not asked yet.
OFF, NOT_ASKED = "off", None
#: What Docker or a wait knows of a container; of a service without one all of it is null.
_OF_CONTAINERS = ("seconds", "image", "image_id", "source", "engine_version", "container_id", "started_at")


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
    """Return the results of the evidence `health`, as `up` can know them: each service's own health test.

    A service whose ports a sidecar publishes (`front`) is no better than that one: nobody else reaches it.
    """
    services: dict[str, dict[str, Any]] = {}
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
            **backends.backend_evidence(stack["services"][name]),
        }
    for name, its in stack.get("external", {}).items():
        services[name] = {
            **dict.fromkeys(_OF_CONTAINERS),
            "state": NOT_ASKED,
            "detail": "not asked yet: ./ready check asks",
            **backends.backend_evidence(its),
        }
    for name, its in stack.get("off", {}).items():
        services[name] = {
            **dict.fromkeys(_OF_CONTAINERS),
            "title": its["title"],
            "state": OFF,
            "detail": f"switched off: {name}_backend is {its['backend']}",
        }
    sidecars = {
        name: {
            "of": its["of"],
            "state": service_state(found, waited.get(name)),
            "image": image.get("ref"),
            "image_id": image.get("id"),
            "container_id": found.get("id"),
            "started_at": found.get("started_at"),
        }
        for name, its in stack.get("sidecars", {}).items()
        for found in [state["services"].get(name, {})]
        for image in [images.get(its["image_of"], {})]
    }
    for name, front in fronts(stack).items():
        _judge_by_front(services[name], front, sidecars[front]["state"], waited.get(front, {}).get("detail", ""))
    return {"services": services, **({"sidecars": sidecars} if sidecars else {})}


def fronts(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return service -> the sidecar that publishes its ports, of the services that have such a one."""
    return {name: its["front"]["name"] for name, its in stack["services"].items() if "front" in its}


def _judge_by_front(its: dict[str, Any], front: str, state: str, detail: str) -> None:
    """Note in a service's results which sidecar clients meet, and that one's state where the service is healthy."""
    its["front"] = front
    if its["state"] == "healthy" and state != "healthy":
        cause = f"clients meet {front}, which is {state}"
        its |= {"state": state, "detail": f"{cause}: {detail}" if detail else cause}


def is_well(its: Mapping[str, Any], *, sidecar: bool = False) -> bool:
    """Return whether what the evidence `health` holds of a service, or of a sidecar, is well.

    A sidecar is not asked beyond its own health test: while that is not due yet nothing is wrong. A service that is
    switched off is as the inventory has it: that it is missing says the report. So it does of an endpoint that nobody
    has asked.
    """
    state = its["state"] in {"healthy", OFF, NOT_ASKED} or (sidecar and its["state"] == "starting")
    return bool(state) and all(check["verdict"] != FAIL for check in its.get("checks", {}).values())


def health_verdict(results: Mapping[str, Any]) -> str:
    """Return the verdict of the evidence `health`, whoever leaves it, of its results."""
    well = [is_well(its) for its in results["services"].values()]
    well += [is_well(its, sidecar=True) for its in results.get("sidecars", {}).values()]
    return PASS if all(well) else FAIL


def fully_checked(results: Mapping[str, Any]) -> bool:
    """Return whether results of the evidence `health` hold the answers of every service to `check`."""
    services = [its for its in results.get("services", {}).values() if its["state"] != OFF]
    return bool(services) and all(its.get("checks") for its in services)


def earlier_still_holds(earlier: Mapping[str, Any], results: Mapping[str, Any]) -> bool:
    """Return whether earlier results of the evidence `health` say all that new ones do, and more.

    They do when every service was asked about its data and is the same run of the same container, healthy then and
    now, and so is the sidecar that clients meet; or the same endpoint, which `up` does not ask. So an `up` that finds
    nothing to do does not wipe out what `check` found.
    """
    before, now = earlier.get("services", {}), results["services"]
    return (
        fully_checked(earlier)
        and set(before) == set(now)
        and all(_still_shows(before[name], its) for name, its in now.items())
        and all(
            _same_run(*(part.get("sidecars", {}).get(its["front"], {}) for part in (earlier, results)))
            for its in now.values()
            if "front" in its
        )
    )


def _still_shows(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    if now["state"] is NOT_ASKED:
        return bool(before.get("backend") == now["backend"])
    if not _same_run(before, now):
        return False
    return bool(now["state"] == OFF or (now["state"] == "healthy" and now["container_id"]))


def _same_run(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    return all(before.get(key) == now.get(key) for key in ("container_id", "started_at", "state"))


def unlisted(stack: Mapping[str, Any], state: Mapping[str, Any]) -> list[tuple[str, str, str]]:
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


def drift(stack: Mapping[str, Any], name: str, found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return key -> {found, expected} of a service's container and its secret files; none for an absent container.

    A stack as a host describes it has no fingerprint of the files: there they are compared with the container's own.
    """
    if not found["exists"]:
        return {}
    service = containers(stack)[name]
    if "config_hash" not in service:
        label = (found["config"].get("labels") or {}).get(LABEL_CONFIG) or None
        service = {**service, "config_hash": label, "reload_hash": found.get("reload_hash")}
    want = ContainerSpec.from_service(service, stack["name"], stack["network"])
    differing = want.diff(ContainerSpec.from_dict(found["config"]))
    differing |= other_image(found["config"])
    if other_files(service, found) or other_reloaded(service, found):
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
                "ports": ", ".join(f"{port['bind']}:{port['host']}" for port in published_ports(service)),
                "drift": (", ".join(sorted(drift(stack, name, found))) or "none") if found["exists"] else "absent",
            }
        )
    rows += [
        {
            "service": name,
            "state": backends.backend_title(its),
            "image": ", ".join(model["name"] for model in its["models"].values()),
            "ports": its["base_url"],
        }
        for name, its in stack.get("external", {}).items()
    ]
    rows += [{"service": name, "state": "absent", "drift": why} for name, why in stack.get("left_out", {}).items()]
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
