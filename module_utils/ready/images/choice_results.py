# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Return what tasks need of the choices of the module image_sources. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ..common.labels import LABEL_DATA_FORMAT

LOCK_HEAD = """\
---
# Tag to digest of every image from a registry. Review and commit it like any lock; `./ready images lock` renews it.
"""


def wanted(images: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return name -> its definition's image, and `without` of the stack's, for the names."""
    return {name: {**images[name]["image"], "without": images[name]["without"]} for name in names}


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


def foreseen(choices: Mapping[str, Any]) -> dict[str, str]:
    """Return image -> why nothing can serve it, "" where something may."""
    return {name: "" if its["unasked"] else "; ".join(its["faults"]) for name, its in choices.items()}


def unlockable(choices: Mapping[str, Any], images: Mapping[str, Any]) -> dict[str, str]:
    """Return image -> why `images lock` has nothing to lock: it has no upstream, and no mirror has it."""
    return {
        name: "; ".join(its["reasons"])
        for name, its in choices.items()
        if its["unserved"] and not its["source"] and not images[name]["image"].get("repository")
    }


def lock_faults(choices: Mapping[str, Any], images: Mapping[str, Any]) -> list[str]:
    """Return what must stop `images lock`."""
    without = unlockable(choices, images)
    return [fault for name, its in choices.items() if name not in without for fault in its["faults"]]


def lock_lines(choices: Mapping[str, Any], old: Mapping[str, Any], gone: Mapping[str, str]) -> list[str]:
    """Return a line per image: the digest in the lock and the one that the registry serves, or why it has none."""
    shown = []
    for name, choice in choices.items():
        if name in gone:
            taken = f"{old[name]['digest']} -> none" if name in old else "not locked"
            shown.append(f"{name}: {taken} ({gone[name]})")
            continue
        if not choice["lock"]:
            shown.append(f"{name}: {choice['ref']} (as {name}_image says; not locked)")
            continue
        before, after = old.get(name, {}).get("digest", "none"), choice["lock"]["digest"]
        shown.append(f"{name}: {after} (unchanged)" if before == after else f"{name}: {before} -> {after}")
    return shown


def lock_file(text: str | None, new: Mapping[str, Any], now: str, renew: bool = False, gone: Sequence[str] = ()) -> str:
    """Return the lock file's text with new entries in it, and without those that are gone."""
    held = (yaml.safe_load(text or "") or {}).get("ready_images_lock") or {}
    held = {name: entry for name, entry in held.items() if name not in gone}
    return LOCK_HEAD + yaml.safe_dump({"ready_images_lock": merge_lock(held, new, now, renew)}, sort_keys=True)


def held(state: Mapping[str, Any]) -> dict[str, str]:
    """Return service -> the data format that is recorded on its volumes."""
    return {
        volume["service"]: volume["labels"][LABEL_DATA_FORMAT]
        for volume in state.get("volumes", {}).values()
        if volume["ours"] and volume["service"] and LABEL_DATA_FORMAT in volume["labels"]
    }


def missing(looked: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is to be built: what image_build, only looking, found no image of."""
    return [item["item"] for item in looked if "id" not in item["image"]]


def build_fault(failed: Mapping[str, Any], choices: Mapping[str, Any], host: str) -> str:
    """Return why a build failed, and why the sources before it do not serve."""
    lines = []
    for item in [each for each in failed.get("results", []) if each.get("failed")] or [failed]:
        choice = choices.get(item.get("item"), {})
        reasons, without = choice.get("reasons", []), choice.get("without")
        message = str(item.get("msg", "no reason given")).strip()
        if reasons:
            message = (
                f"{host}: {item['item']}: no image source works. {'; '.join(reasons)}; build: {message}\n"
                f"Next: make one of them work{f', or set {without}' if without else ''}"
            )
        lines.append(message)
    return "\n".join(lines)


def refs(
    choices: Mapping[str, Any],
    images: Mapping[str, Any],
    built: Sequence[Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Return service -> {ref, id?, source, data_format, engine_version?, version_command} for what was chosen."""
    builds = {item["item"]: item["image"] for item in built if item.get("image")}
    result = {}
    for name, choice in choices.items():
        image = images[name]["image"]
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


def without_facts(images: Mapping[str, Any]) -> dict[str, Any]:
    """Return those whose id and engine version are not known yet."""
    return {name: image for name, image in images.items() if not (image.get("id") and image.get("engine_version"))}


def merge_lock(
    held: Mapping[str, Any], new: Mapping[str, Mapping[str, str]], now: str, renew: bool
) -> dict[str, dict[str, str]]:
    """Return the lock with the new entries in it; what did not change keeps its date. Raises ValueError.

    Args:
        held: the lock as it is on disk, which other hosts of this run write to as well.
        new: the entries that this host adds.
        now: what to date them with.
        renew: whether entries may change, which is for `images lock` alone.
    """
    merged = {name: dict(entry) for name, entry in held.items()}
    for name, entry in new.items():
        old = held.get(name, {})
        if all(old.get(key) == value for key, value in entry.items()):
            continue
        if old and not renew:
            raise ValueError(
                f"{name}: the image lock says {old.get('digest')} since this run began, this host was served "
                f"{entry['digest']}. Next: ./ready images lock, and review the change"
            )
        merged[name] = {**entry, "locked_at": now}
    return merged
