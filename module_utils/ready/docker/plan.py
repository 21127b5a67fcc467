# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what `up` has to do, from the resolved stack and the state that was read. Runs on the controller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..common.labels import (
    COPIES,
    LABEL_CONFIG,
    LABEL_DATA_FORMAT,
    LABEL_ENGINE,
    LABEL_HOLDS,
    LABEL_SERVICE,
    LABEL_SOURCE,
    LABEL_STACK,
    LEFTOVERS,
    REPLACED,
)
from ..stack import models, ownership
from ..stack.accounts import extensions
from ..stack.image_names import image_name, stack_images
from ..stack.resolved import containers, copy_volumes, serves_clients
from ..stack.sidecars import switchable_sidecars, with_sidecars
from .drift import other_files, other_image, other_reloaded, runs_with, summary
from .images_in_use import images_in_use, kept_image
from .spec import TRIED, ContainerSpec, files_copy


def needs_image(stack: Mapping[str, Any], state: Mapping[str, Any], rebuild: bool = False) -> list[str]:
    """Return the images that must be found, by name: those of no container whose image is still there.

    A container keeps its image: `up` never upgrades. `rebuild` asks for today's image for all of them.
    """
    everything = containers(stack)
    return [
        name
        for name, image in stack_images(stack).items()
        if rebuild or not any(kept_image(everything[user], state["services"][user]) for user in image["users"])
    ]


def bound_sources(state: Mapping[str, Any]) -> dict[str, str]:
    """Return service -> image source as recorded on its data volumes: data of one source never meet another's."""
    return {
        volume["service"]: volume["labels"][LABEL_SOURCE]
        for volume in state["volumes"].values()
        if volume["ours"] and volume["service"] and LABEL_SOURCE in volume["labels"]
    }


def to_try(stack: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """Return the running services whose files, command or limits change: those are tried first.

    A change of labels or image alone is not, nor are files that were edited or lost: the new ones are what it ran with.
    Of sidecars those are tried that publish a service's ports; others do nothing without their service.
    """
    found = []
    for name, service in containers(stack).items():
        if not serves_clients(service):
            continue
        have = state.get("services", {}).get(name, {})
        if not (have.get("ours") and have.get("running") and have.get("config")):
            continue
        want = ContainerSpec.from_service(service, stack["name"], stack["network"])
        differing = want.diff(ContainerSpec.from_dict(have["config"]))
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
    service, have = containers(stack)[name], state["services"][name]
    if not serves_clients(service):
        return False
    if being_replaced(state, service) and have.get("health") != "healthy":
        return not have["exists"] or bool(have.get("ours"))
    if action != "recreate" or not have.get("ours") or have.get("status") != "running":
        return False
    if have.get("health") == "unhealthy":
        return False
    copied = state["volumes"].get(files_copy(service["config_volume"]), {}).get("exists")
    return bool(copied) or runs_with(have["config"]["labels"].get(LABEL_CONFIG), have)


def leftovers(state: Mapping[str, Any]) -> list[str]:
    """Return the names of what interrupted runs have left behind of trials, and of containers that they replaced."""
    containers = [item["name"] for item in state["others"] if item.get("leftover")]
    return containers + [name for name, its in sorted(state["volumes"].items()) if LEFTOVERS & set(its["labels"])]


def _of_before(service: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of what is kept of a service that is replaced: its container, and the copy of its files."""
    return f"{service['container']}{REPLACED}", files_copy(service["config_volume"])


def unwanted_containers(stack: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """Return the containers of sidecars that are switched off: unlike a service's, nobody would miss them.

    One that is always with its service stays as that one does, when the inventory no longer names it. A service that
    something else serves now, or nothing, and that keeps no data, goes with its sidecars.
    """
    unwanted = {*switchable_sidecars(), *with_sidecars(stack.get("former", ()))}
    return [
        item["name"]
        for item in state["others"]
        if item["service"] in unwanted and item["name"] == f"{stack['name']}-{item['service']}"
    ]


def make_plan(
    stack: Mapping[str, Any], state: Mapping[str, Any], images: Mapping[str, Any], only: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return what has to be done, in an order in which the slowest starter comes first.

    Returns:
        {network: bool, volumes: [{name, labels}], models: [service], files: [service], reload: [service of files],
        containers: [{service, action}], specs: service -> the values of its ContainerSpec,
        actions: service -> none|create|recreate|start|reload,
        tried: [service], leftovers: [name], kept: [service], reconcile: [service], remove: [container],
        changes: bool, lines: [str] for people}
    """
    services = containers(stack, only or ())
    order = sorted(services, key=lambda name: -services[name]["health"]["deadline"])
    volumes, files, reloads, actions_of, kept, with_models, lines = [], [], [], [], [], [], []
    specs: dict[str, Any] = {}
    actions: dict[str, str] = {}
    if not state["network"]["exists"]:
        lines.append(f"create network {stack['network']}")
    for name in order:
        service, have = services[name], state["services"][name]
        image = images.get(image_name(name, service), {})
        for volume in [*service["volumes"], {"name": service["config_volume"]}]:
            if not state["volumes"][volume["name"]]["exists"]:
                labels = {LABEL_STACK: stack["name"], LABEL_SERVICE: name, **ownership.labels(stack)}
                if volume.get("holds") == COPIES:
                    labels[LABEL_HOLDS] = COPIES
                elif volume["name"] != service["config_volume"]:
                    labels |= {
                        LABEL_SOURCE: str(image.get("source", "unknown")),
                        LABEL_DATA_FORMAT: str(image.get("data_format", "unknown")),
                        LABEL_ENGINE: str(image.get("engine_version", "unknown")),
                    }
                volumes.append({"name": volume["name"], "labels": labels})
                lines.append(f"create volume {volume['name']}")
        lines += models.plan_lines(service, have)
        config_missing = not state["volumes"][service["config_volume"]]["exists"]
        started_with = config_missing or other_files(service, have)
        if started_with or other_reloaded(service, have):
            files.append(name)
            lines.append(f"write the configuration and secrets of {name}")
        want = ContainerSpec.from_service(service, stack["name"], stack["network"], image.get("id"))
        action, reasons = "none", []
        if not have["exists"]:
            action = "create"
        else:
            found = ContainerSpec.from_dict(have["config"])
            reasons = summary(want.diff(found) | other_image(have["config"]))
            if started_with and not reasons:
                reasons = ["files in the config volume were edited or lost"]
            if name in files and not reasons and have["status"] == "paused":
                reasons = ["it is paused, and has read its files of before"]
            if reasons:
                action = "recreate"
            elif not have["running"] or have["status"] == "paused":  # Docker calls a paused one running too
                action, reasons = "start", [f"it is {have['status']}"]
            elif name in files:
                action = "reload"
        actions[name] = action
        if copy_volumes(service) and (
            action != "none" or models.missing_models(service, have) or models.has_unnamed_copies(have)
        ):
            with_models.append(name)
        if may_come_back(stack, state, name, action):
            kept.append(name)
        if action == "reload":
            reloads.append(name)
            lines.append(f"let container {service['container']} take them over, without a restart")
        elif action != "none":
            because = f" ({'; '.join(reasons)})" if reasons else ""
            lines.append(f"{action} container {service['container']}{because}")
            actions_of.append({"service": name, "action": action})
        if action not in {"none", "reload"} or name in kept:
            specs[name] = want.made_from(image.get("ref", "none"), ownership.labels(stack)).as_dict()
    unwanted = unwanted_containers(stack, state)
    lines += [
        f"remove container {name}: the inventory no longer asks for it; data, if it has any, stay" for name in unwanted
    ]
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
        "models": with_models,
        "files": files,
        "reload": reloads,
        "containers": actions_of,
        "specs": specs,
        "actions": actions,
        "reconcile": [name for name in order if actions[name] in {"create", "recreate"}],
        "tried": [
            *(name for name in to_try(stack, state) if actions.get(name) == "recreate"),
            # Whether the image has them, only a start tells.
            *(name for name in order if actions[name] == "create" and extensions(stack["services"].get(name, {}))),
        ],
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
