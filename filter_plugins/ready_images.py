# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small views of the choices that image_sources returns, as filters."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.container import LABEL_DATA_FORMAT  # modules alone get module_utils
from ready.hostsettings import SUITE
from ready.imagerecipe import BASE, read_recipe, recipe_hash, reference
from ready.images import archive_ref, merge_lock, read_archives

IMAGES = Path(__file__).resolve().parent.parent / "images"

LOCK_HEAD = """\
---
# Tag to digest of every image from a registry. Review and commit it like any lock; `./ready images lock` renews it.
"""


def wanted(services: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return service -> its definition's image, for the names."""
    return {name: services[name]["image"] for name in names}


def sources(names: Sequence[str], wanted: str, bound: Mapping[str, str]) -> dict[str, str]:
    """Return service -> the source to try: the one that its data are bound to, else what is asked for."""
    return {name: bound.get(name, wanted) for name in names}


def by_source(choices: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return source -> services."""
    grouped: dict[str, list[str]] = {}
    for name, choice in choices.items():
        if choice["source"]:
            grouped.setdefault(choice["source"], []).append(name)
    return grouped


def lines(choices: Mapping[str, Any], host: str) -> list[str]:
    """Return a line per service: which source serves, and why the ones before it do not."""
    shown = []
    for name, choice in choices.items():
        why = f" ({'; '.join(choice['reasons'])})" if choice["reasons"] else ""
        shown.append(f"{host}: image of {name} from: {choice['source']}{why}")
    return shown


def new_locks(choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return service -> a lock entry that is not in the lock file yet."""
    return {name: choice["lock"] for name, choice in choices.items() if choice["lock"]}


def lock_file(text: str | None, new: Mapping[str, Any], now: str, renew: bool = False) -> str:
    """Return the lock file's text with new entries in it."""
    held = (yaml.safe_load(text or "") or {}).get("ready_images_lock") or {}
    return LOCK_HEAD + yaml.safe_dump({"ready_images_lock": merge_lock(held, new, now, renew)}, sort_keys=True)


def held(state: Mapping[str, Any]) -> dict[str, str]:
    """Return service -> the data format that is recorded on its volumes."""
    return {
        volume["service"]: volume["labels"][LABEL_DATA_FORMAT]
        for volume in state.get("volumes", {}).values()
        if volume["ours"] and volume["service"] and LABEL_DATA_FORMAT in volume["labels"]
    }


def recipes(services: Mapping[str, Any], names: Sequence[str], refresh: bool = False) -> dict[str, dict[str, Any]]:
    """Return service, and base, -> {ref, recipe, rebuild} of the image that a build makes; nothing without a recipe.

    Args:
        services: those of the resolved stack.
        names: the services that need an image.
        refresh: whether services are to be built with today's packages though their images are there.
    """
    found = {}
    for name, version, rebuild in [
        (BASE, SUITE, False),
        *((name, str(services[name]["image"]["version"]), refresh) for name in names),
    ]:
        with contextlib.suppress(FileNotFoundError):
            recipe = recipe_hash(read_recipe(IMAGES, name, version), name)
            found[name] = {"ref": reference(name, version, recipe), "recipe": recipe, "rebuild": rebuild}
    return found


def without_facts(images: Mapping[str, Any]) -> dict[str, Any]:
    """Return those whose id and engine version are not known yet."""
    return {name: image for name, image in images.items() if not (image.get("id") and image.get("engine_version"))}


def missing(looked: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is to be built: what image_build, only looking, found no image of."""
    return [item["item"] for item in looked if "id" not in item["image"]]


def build_fault(failed: Mapping[str, Any], choices: Mapping[str, Any], host: str) -> str:
    """Return why a build failed, and why the sources before it do not serve."""
    lines = []
    for item in [each for each in failed.get("results", []) if each.get("failed")] or [failed]:
        reasons = choices.get(item.get("item"), {}).get("reasons", [])
        message = str(item.get("msg", "no reason given")).strip()
        if reasons:
            message = (
                f"{host}: {item['item']}: no image source works. {'; '.join(reasons)}; build: {message}\n"
                "Next: make one of them work"
            )
        lines.append(message)
    return "\n".join(lines)


def refs(
    choices: Mapping[str, Any],
    services: Mapping[str, Any],
    built: Sequence[Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Return service -> {ref, id?, source, data_format, engine_version?, version_command} for what was chosen."""
    builds = {item["item"]: item["image"] for item in built if item.get("image")}
    result = {}
    for name, choice in choices.items():
        image = services[name]["image"]
        source = choice["source"]
        entry = {
            "ref": choice["ref"],
            "source": source,
            "data_format": choice["data_format"],
            "version_command": image.get("version_command", []),
            "version": image["version"],
        }
        if source == "build":
            built_image = builds.get(name, {})
            entry["ref"] = built_image.get("ref", f"ready/{name}:{image['version']}")
            entry |= {key: built_image[key] for key in ("id", "engine_version") if built_image.get(key)}
        result[name] = entry
    return result


def lock_lines(choices: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """Return a line per service: the digest in the lock and the one that the registry serves."""
    shown = []
    for name, choice in choices.items():
        if not choice["lock"]:
            shown.append(f"{name}: {choice['ref']} (as {name}_image says; not locked)")
            continue
        before, after = old.get(name, {}).get("digest", "none"), choice["lock"]["digest"]
        shown.append(f"{name}: {after} (unchanged)" if before == after else f"{name}: {before} -> {after}")
    return shown


def manifest(images: Mapping[str, Any], saved: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what manifest.json says of each archive; `saved` are the results of stat."""
    checksums = {item["item"]: item["stat"].get("checksum") for item in saved}
    keys = ("id", "source", "data_format", "engine_version")
    return {
        name: {
            "file": f"{name}.tar",
            "sha256": checksums[name],
            "ref": archive_ref(name, image),
            **{key: image[key] for key in keys},
        }
        for name, image in images.items()
    }


class FilterModule:
    """Ready's filters over image choices."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_images_wanted": wanted,
            "ready_images_sources": sources,
            "ready_images_by_source": by_source,
            "ready_images_lines": lines,
            "ready_images_new_locks": new_locks,
            "ready_images_archives": read_archives,
            "ready_images_build_fault": build_fault,
            "ready_images_held": held,
            "ready_images_lock_file": lock_file,
            "ready_images_missing": missing,
            "ready_images_recipes": recipes,
            "ready_images_without_facts": without_facts,
            "ready_images_refs": refs,
            "ready_images_lock_lines": lock_lines,
            "ready_images_manifest": manifest,
        }
