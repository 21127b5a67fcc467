# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where containers and files differ from what they must be, for the plan and as people read it. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.labels import LABEL_CONFIG, LABEL_IMAGE_ID


def runs_with(label: str | None, found: Mapping[str, Any]) -> bool:
    """Return whether a container's config volume has the files that its label LABEL_CONFIG names.

    Args:
        label: the container's.
        found: `state.read_fingerprints` of its volume.
    """
    return label in (found.get("files_hash"), found.get("every_hash"))


def other_files(service: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Return whether a config volume, by its state, has other files than those that the container must start with."""
    return bool(found.get("files_hash") != service.get("config_hash"))


def other_reloaded(service: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Return whether it has other ones of those that a running container takes over, or one has not taken them yet."""
    return bool(found.get("reload_hash") != service.get("reload_hash"))


def other_image(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return {image: {found, expected}} for a container that was made again from another image than `up` took.

    Whoever replaces an image by hand, or has it done, copies the container's labels. A container without that label
    is of a time before it.
    """
    made_of, has = (config["labels"] or {}).get(LABEL_IMAGE_ID), config["image"]
    return {"image": {"found": has[:19], "expected": made_of[:19]}} if made_of and made_of != has else {}


def summary(drift: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return drift as short lines: `memory: found 1, expected 2`, `volumes /data: found x:ro, expected x:rw`.

    Of a mapping each field that differs has a line. Long values (scripts, hashes) are named alone, and so is everything
    in the environment: what somebody put there by hand may be a secret.
    """
    lines = []
    for key, values in drift.items():
        found, expected = values["found"], values["expected"]
        if not (isinstance(found, Mapping) and isinstance(expected, Mapping)):
            lines.append(_difference(key, found, expected))
            continue
        for name in sorted({*found, *expected}):
            if name in found and name in expected and found[name] == expected[name]:
                continue
            if key == "env":
                word = "missing" if name not in found else "changed" if name in expected else "not in the inventory"
                lines.append(f"env {name}: {word}")
            elif (key, name) == ("labels", LABEL_CONFIG):  # two hashes tell nobody anything
                lines.append("configuration or secrets: found other files than it was made with")
            else:
                lines.append(_difference(f"{key} {name}", found.get(name), expected.get(name)))
    return lines


def _difference(name: str, found: Any, expected: Any) -> str:
    line = f"{name}: found {found}, expected {expected}"
    return line if len(line) <= 160 else f"{name} differs"
