# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the data that a host has fit the stack: their format and their passwords. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checkrow import Check
from .container import LABEL_DATA_FORMAT, LABEL_ENGINE, LABEL_SOURCE
from .part import FAIL, PASS, UNKNOWN


def _wanted_formats(service: Mapping[str, Any], image_source: str, images: Mapping[str, Any]) -> set[str]:
    if image := images.get(service["name"]):
        return {str(image["data_format"])}
    formats = service["image"]["data_format"]
    return {str(formats[image_source])} if image_source in formats else {str(value) for value in formats.values()}


def _is_of(version: str | None, line: str) -> bool:
    return version is None or version == line or version.startswith(f"{line}.")


def volumes(stack: Mapping[str, Any], state: Mapping[str, Any], images: Mapping[str, Any]) -> Check:
    """Judge the format of the data against what the image wants."""
    faults, unknown = [], []
    for service in stack["services"].values():
        container = state.get("services", {}).get(service["name"], {})
        keeps = service["name"] not in images and container.get("ours") and container.get("image", {}).get("present")
        wanted = _wanted_formats(service, stack["image_source"], images)
        for volume in service["volumes"]:
            have = state.get("volumes", {}).get(volume["name"], {})
            if not (have.get("exists") and have.get("ours", True)):
                continue
            if keeps and not _is_of(have["labels"].get(LABEL_ENGINE), service["image"]["version"]):
                continue  # the container keeps its image of another release line; the check `versions` says so
            found = have["labels"].get(LABEL_DATA_FORMAT, "unknown")
            if found == "unknown":
                unknown.append(volume["name"])
            elif found not in wanted:
                source = have["labels"].get(LABEL_SOURCE, "unknown source")
                faults.append(
                    f"{volume['name']} holds {found} ({source}), the image wants {' or '.join(sorted(wanted))}"
                )
    return Check(
        "volumes",
        "Data volumes",
        FAIL if faults else UNKNOWN if unknown else PASS,
        "; ".join(faults) or (f"no data format recorded on {', '.join(unknown)}" if unknown else "new, or fitting"),
        "data in the format of the image",
        "set image_source or <service>_version back to what the data were made with, or dump the data with that image "
        "and restore them into a new volume"
        if faults
        else "",
    )


def secrets(stack: Mapping[str, Any], state: Mapping[str, Any]) -> Check:
    """Find data whose secrets the inventory no longer has: new ones would lock everybody out."""
    secrets = stack.get("secrets", {"missing": [], "path": ""})
    volumes = state.get("volumes", {})
    without = {pair.partition("/")[0] for pair in secrets["missing"]}
    lost = {
        volume["name"]: name
        for name in sorted(without & set(stack["services"]))
        for volume in stack["services"][name]["volumes"]
        if volumes.get(volume["name"], {}).get("exists")
    }
    if lost:
        # `secrets recover` reads the config volumes by the containers that mount them.
        held = all(state.get("services", {}).get(name, {}).get("ours") for name in lost.values())
        return Check(
            "secrets",
            "Secrets",
            FAIL,
            f"volume {', '.join(sorted(lost))} with data, but no passwords for them in {secrets['path']}",
            "the secrets that the data were made with: a database ignores new ones",
            "put back the secrets file that the data were made with; another clone or inventory may hold it, or choose "
            "another stack_name for a stack of your own"
            + ("; if it is lost, ./ready secrets recover reads them back from the containers" if held else ""),
        )
    return Check("secrets", "Secrets", PASS, "to be made" if without else "there, and none of them a documented one")
