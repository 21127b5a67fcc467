# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what `destroy` and `prune` remove: only what is Ready's. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..common.labels import COPIES, LABEL_HOLDS, LABEL_JOB, LABEL_KEPT_FOR, LABEL_KEPT_OF, LABEL_STACK
from ..common.units import human_size
from ..stack import ownership
from ..stack.resolved import containers
from .own_images import unused_images


def removal(
    state: Mapping[str, Any], stack: Mapping[str, Any], details: Mapping[str, Any], volumes: bool
) -> dict[str, Any]:
    """Return {containers, networks, volumes, lines}: names, and a line each for people, with the sizes of volumes."""
    known = containers(stack)
    names = [known[name]["container"] for name, found in state["services"].items() if found.get("ours")]
    names += [item["name"] for item in state["others"]] + list(state.get("jobs", []))
    networks = [stack["network"]] if state["network"]["ours"] else []
    ours = [name for name, volume in state["volumes"].items() if volume["ours"]]
    sizes = details.get("volumes", {})
    lines = [f"container {name}" for name in names] + [f"network {name}" for name in networks]
    if volumes:
        lines += [
            f"volume {name} ({human_size(sizes.get(name))}): {_what_goes(state['volumes'][name])}"
            for name in sorted(ours)
        ]
        if state.get("backups"):
            lines.append(f"directory {state['backups']}: what backups keep on this host; the repository stays")
    elif lines:
        lines += [f"kept: volume {name} ({human_size(sizes.get(name))})" for name in sorted(ours)]
        lines += [f"kept: directory {state['backups']}"] if state.get("backups") else []
    if lines and (owner := ownership.foreign(stack, state)):
        lines.insert(0, f"the stack is that of {ownership.owner_text(owner)}")
    return {"containers": names, "networks": networks, "volumes": sorted(ours) if volumes else [], "lines": lines}


def _what_goes(volume: Mapping[str, Any]) -> str:
    copies = volume["labels"].get(LABEL_HOLDS) == COPIES
    return "copies, which up makes again" if copies else "its data are lost"


def _what(volume: Mapping[str, Any]) -> str:
    return f"a {what}" if (what := volume["labels"].get(LABEL_KEPT_FOR)) else "an upgrade"


def prunable(
    info: Mapping[str, Any],
    stack: Mapping[str, Any],
    state: Mapping[str, Any],
    kept: bool = False,
    *,
    recipes: Collection[str] = (),
    recorded: Collection[str] = (),
) -> dict[str, Any]:
    """Return {images, ids, containers, volumes, lines}: images of ours that no container uses, and leftovers.

    `images` are the names to remove; one without a name is named by its id. `ids` are those of the images. Helper
    containers of interrupted runs go.

    Args:
        info: `containers` as docker_host_info lists them, `images` as docker_image_info does.
        stack: the resolved stack.
        state: what `stack_state` read.
        kept: whether volumes that upgrades and restores kept go, too; those of one under way never do.
        recipes: names below images/.
        recorded: ids of images that were built or loaded on this host.
    """
    under_way = (state.get("upgrade") or {}).get("volumes", {})
    needed = state.get("restore", {}).get("volumes", [])
    volumes = [
        name
        for name, volume in sorted(state["volumes"].items())
        if kept
        and volume["ours"]
        and volume["labels"].get(LABEL_KEPT_OF, "") not in {"", *under_way}
        and name not in needed
    ]
    used = {container["ImageID"] for container in info["containers"]}
    unused = unused_images(info["images"], used, recipes, recorded)
    lines = [f"image {image['name']} ({human_size(image['size'])})" for image in unused if not image["stays"]]
    writers = {f"{service['config_volume']}-writer" for service in containers(stack).values()}
    helpers = [
        name.lstrip("/")
        for container in info["containers"]
        for name in container["Names"]
        if (name.lstrip("/") in writers or LABEL_JOB in container["Labels"])
        and container["Labels"].get(LABEL_STACK) == stack["name"]
    ]
    lines += [f"container {name}, left by an interrupted run" for name in helpers]
    lines += [f"volume {name}: the data from before {_what(state['volumes'][name])}" for name in volumes]
    if lines:
        lines += [f"kept: image {image['name']}, which is also {image['stays']}" for image in unused if image["stays"]]
    going = [image for image in unused if not image["stays"]]
    return {
        "images": [name for image in going for name in image["remove"]],
        "ids": [image["id"] for image in going],
        "containers": helpers,
        "volumes": volumes,
        "lines": lines,
    }
