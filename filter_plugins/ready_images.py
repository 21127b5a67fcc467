# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small views of the choices that image_sources returns, as filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


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


def refs(
    choices: Mapping[str, Any],
    services: Mapping[str, Any],
    built: Sequence[Mapping[str, Any]],
    archives: Mapping[str, Any],
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
            "version_command": image.get("version_command", []),
            "version": image["version"],
        }
        if source == "archive":
            entry["data_format"] = archives[name]["data_format"]
            entry["ref"] = archives[name]["ref"]
        else:
            entry["data_format"] = image["data_format"][source]
        if source == "build":
            entry["ref"] = builds.get(name, {}).get("ref", f"ready/{name}:{image['version']}")
        result[name] = entry
    return result


def lock_lines(choices: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """Return a line per service: the digest in the lock and the one that the registry serves."""
    shown = []
    for name, choice in choices.items():
        before, after = old.get(name, {}).get("digest", "none"), (choice["lock"] or {}).get("digest")
        shown.append(f"{name}: {after} (unchanged)" if before == after else f"{name}: {before} -> {after}")
    return shown


def manifest(images: Mapping[str, Any], saved: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what manifest.json says of each archive; `saved` are the results of stat."""
    checksums = {item["item"]: item["stat"].get("checksum") for item in saved}
    keys = ("ref", "id", "source", "data_format", "engine_version")
    return {
        name: {"file": f"{name}.tar", "sha256": checksums[name], **{key: image[key] for key in keys}}
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
            "ready_images_refs": refs,
            "ready_images_lock_lines": lock_lines,
            "ready_images_manifest": manifest,
        }
