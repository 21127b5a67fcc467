# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `up` has to do: the resolved stack against the state that was read. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import ownership
from .container import (
    LABEL_CONFIG,
    LABEL_DATA_FORMAT,
    LABEL_ENGINE,
    LABEL_SERVICE,
    LABEL_SOURCE,
    LABEL_STACK,
    LEFTOVERS,
    REPLACED,
    SIDECARS,
    containers,
    desired,
    differences,
    files_copy,
    module_options,
    other_image,
    summary,
)

#: What a container is that may keep its service from starting.
TRIED = frozenset(
    {"entrypoint", "command", "env", "user", "memory", "memory_swap", "cpus", "pids", "shm_size", "tmpfs"}
)


def needs_image(stack: Mapping[str, Any], state: Mapping[str, Any], rebuild: bool = False) -> list[str]:
    """Return the services for which an image must be found: those without a container whose image is still there.

    A container keeps its image: `up` never upgrades. `rebuild` asks for today's image for all of them.
    """
    return [
        name
        for name, service in stack["services"].items()
        if rebuild or not _kept_image(service, state["services"][name])
    ]


def _kept_image(service: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    if not (found.get("ours") and found.get("image", {}).get("present")) or other_image(found["config"]):
        return False
    override = service["image"]["override"]
    return override is None or found["image"]["ref"] == override


def bound_sources(state: Mapping[str, Any]) -> dict[str, str]:
    """Return service -> image source as recorded on its data volumes: data of one source never meet another's."""
    return {
        volume["service"]: volume["labels"][LABEL_SOURCE]
        for volume in state["volumes"].values()
        if volume["ours"] and volume["service"] and LABEL_SOURCE in volume["labels"]
    }


def images_in_use(stack: Mapping[str, Any], state: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return service -> {ref, id, source, data_format, engine_version}: newly found ones, else the container's own."""
    images: dict[str, Any] = {}
    for name, service in stack["services"].items():
        if name in found:
            images[name] = dict(found[name])
            continue
        have = state["services"][name]
        if not have.get("image"):
            continue
        recorded: Mapping[str, str] = next(
            (
                state["volumes"][volume["name"]]["labels"]
                for volume in service["volumes"]
                if state["volumes"].get(volume["name"], {}).get("labels")
            ),
            have["image"].get("labels") or {},  # a service without data: what the image says of itself
        )
        images[name] = {
            "ref": have["image"]["ref"],
            "id": have["image"]["id"],
            "source": recorded.get(LABEL_SOURCE, "unknown"),
            "data_format": recorded.get(LABEL_DATA_FORMAT, "unknown"),
            "engine_version": recorded.get(LABEL_ENGINE, "unknown"),
        }
    return images


def to_try(stack: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """Return the running services whose files, command or limits change: those are tried first.

    A change of labels or image alone is not, nor are files that were edited or lost: the new ones are what it ran with.
    Sidecars are not tried either: they do nothing without their service.
    """
    found = []
    for name, service in stack["services"].items():
        have = state.get("services", {}).get(name, {})
        if not (have.get("ours") and have.get("running") and have.get("config")):
            continue
        differing = differences(desired(service, stack["name"], stack["network"], None), have["config"])
        other_files = have["config"]["labels"].get(LABEL_CONFIG) != (service.get("config_hash") or "")
        if other_files or TRIED & set(differing):
            found.append(name)
    return found


def being_replaced(state: Mapping[str, Any], service: Mapping[str, Any]) -> str:
    """Return the status of a service's container that a killed run was replacing, "" when there is none."""
    name = _of_before(service)[0]
    return next((str(item["status"]) for item in state.get("others", []) if item["name"] == name), "")


def may_come_back(stack: Mapping[str, Any], state: Mapping[str, Any], name: str, action: str) -> bool:
    """Return whether a service's container of before is kept: it works, or did, and files are known.

    One that a killed run was replacing is kept until something healthy has its place, whatever is to be done.
    """
    service, have = stack["services"].get(name), state["services"][name]
    if service is None:
        return False
    if being_replaced(state, service) and have.get("health") != "healthy":
        return not have["exists"] or bool(have.get("ours"))
    if action != "recreate" or not have.get("ours") or have.get("status") != "running":
        return False
    if have.get("health") == "unhealthy":
        return False
    copied = state["volumes"].get(files_copy(service["config_volume"]), {}).get("exists")
    return bool(copied) or have.get("files_hash") == have["config"]["labels"].get(LABEL_CONFIG)


def leftovers(state: Mapping[str, Any]) -> list[str]:
    """Return the names of what interrupted runs have left behind of trials, and of containers that they replaced."""
    containers = [item["name"] for item in state["others"] if item.get("leftover")]
    return containers + [name for name, its in sorted(state["volumes"].items()) if LEFTOVERS & set(its["labels"])]


def _of_before(service: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of what is kept of a service that is replaced: its container, and the copy of its files."""
    return f"{service['container']}{REPLACED}", files_copy(service["config_volume"])


def unwanted_sidecars(stack: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """Return the containers of sidecars that are switched off: unlike a service's, nobody would miss them."""
    return [
        item["name"]
        for item in state["others"]
        if item["service"] in SIDECARS and item["name"] == f"{stack['name']}-{item['service']}"
    ]


def make_plan(
    stack: Mapping[str, Any], state: Mapping[str, Any], images: Mapping[str, Any], only: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return what has to be done, in an order in which the slowest starter comes first.

    Returns:
        {network: bool, volumes: [{name, labels}], files: [service], containers: [{service, action}],
        options: service -> options of docker_container, actions: service -> none|create|recreate|start,
        tried: [service], leftovers: [name], kept: [service], reconcile: [service], remove: [container],
        changes: bool, lines: [str] for people}
    """
    services = containers(stack, only or ())
    order = sorted(services, key=lambda name: -services[name]["health"]["deadline"])
    volumes, files, actions_of, kept, lines = [], [], [], [], []
    options: dict[str, Any] = {}
    actions: dict[str, str] = {}
    if not state["network"]["exists"]:
        lines.append(f"create network {stack['network']}")
    for name in order:
        service, have = services[name], state["services"][name]
        image = images.get(service.get("of", name), {})
        for volume in [*service["volumes"], {"name": service["config_volume"]}]:
            if not state["volumes"][volume["name"]]["exists"]:
                labels = {LABEL_STACK: stack["name"], LABEL_SERVICE: name, **ownership.labels(stack)}
                if volume["name"] != service["config_volume"]:
                    labels |= {
                        LABEL_SOURCE: str(image.get("source", "unknown")),
                        LABEL_DATA_FORMAT: str(image.get("data_format", "unknown")),
                        LABEL_ENGINE: str(image.get("engine_version", "unknown")),
                    }
                volumes.append({"name": volume["name"], "labels": labels})
                lines.append(f"create volume {volume['name']}")
        config_missing = not state["volumes"][service["config_volume"]]["exists"]
        if config_missing or have.get("files_hash") != service.get("config_hash"):
            files.append(name)
            lines.append(f"write the configuration and secrets of {name}")
        action, reasons = "none", []
        if not have["exists"]:
            action = "create"
        else:
            want = desired(service, stack["name"], stack["network"], image.get("id"))
            reasons = summary(differences(want, have["config"]) | other_image(have["config"]))
            if name in files and not reasons:
                reasons = ["files in the config volume were edited or lost"]
            if reasons:
                action = "recreate"
            elif not have["running"] or have["status"] == "paused":  # Docker calls a paused one running too
                action, reasons = "start", [f"it is {have['status']}"]
        actions[name] = action
        if may_come_back(stack, state, name, action):
            kept.append(name)
        if action != "none":
            because = f" ({'; '.join(reasons)})" if reasons else ""
            lines.append(f"{action} container {service['container']}{because}")
            actions_of.append({"service": name, "action": action})
        if action != "none" or name in kept:
            options[name] = module_options(
                service, stack["name"], stack["network"], image.get("ref", "none"), image.get("id")
            )
            options[name]["labels"] = {**options[name]["labels"], **ownership.labels(stack)}
    unwanted = unwanted_sidecars(stack, state)
    lines += [f"remove container {name}: the inventory no longer asks for it; its data stay" for name in unwanted]
    remains = leftovers(state)
    until = {part: name for name in kept for part in _of_before(services[name])}
    lines += [
        f"keep {name} until {until[name]} is healthy: an interrupted run left it behind"
        if name in until
        else f"remove {name}: an interrupted run left it behind"
        for name in remains
    ]
    return {
        "network": not state["network"]["exists"],
        "volumes": volumes,
        "files": files,
        "containers": actions_of,
        "options": options,
        "actions": actions,
        "reconcile": [name for name in order if actions[name] in {"create", "recreate"}],
        "tried": [name for name in to_try(stack, state) if actions.get(name) == "recreate"],
        "remove": unwanted,
        "leftovers": remains,
        "kept": kept,
        "changes": bool(lines),
        "lines": lines,
    }


def settled(stack: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Return whether nothing is to be done: all is as asked for, and Docker calls every service healthy."""
    if not state["reachable"] or stack["secrets"]["missing"] or needs_image(stack, state):
        return False
    if any(its["due"] for its in stack.get("certificates", {}).values()):
        return False
    if make_plan(stack, state, images_in_use(stack, state, {}))["changes"]:
        return False
    return all(state["services"][name].get("health") == "healthy" for name in containers(stack))
