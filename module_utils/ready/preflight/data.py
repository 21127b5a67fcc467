# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide whether the data on a host fit the stack: format and passwords. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.finding import Finding
from ..common.labels import LABEL_DATA_FORMAT, LABEL_ENGINE, LABEL_SOURCE
from ..common.verdict import FAIL, PASS, UNKNOWN
from ..stack.accounts import ACCOUNTS
from ..stack.resolved import data_volumes


def _wanted_formats(
    service: Mapping[str, Any], image_source: str, images: Mapping[str, Any], made_from: str | None
) -> set[str]:
    if image := images.get(service["name"]):
        return {str(image["data_format"])}
    formats = service["image"]["data_format"]
    # A site's registry has upstream's images, Ready's or both; the role container_images takes the one that fits.
    of_either = image_source == made_from == "registry" or image_source not in formats
    return {str(value) for value in formats.values()} if of_either else {str(formats[image_source])}


def _is_of(version: str | None, line: str) -> bool:
    return version is None or version == line or version.startswith(f"{line}.")


def check_volumes(stack: Mapping[str, Any], state: Mapping[str, Any], images: Mapping[str, Any]) -> Finding:
    """Judge the format of the data against what the image wants."""
    faults, unknown = [], []
    for service in stack["services"].values():
        container = state.get("services", {}).get(service["name"], {})
        keeps = service["name"] not in images and container.get("ours") and container.get("image", {}).get("present")
        for volume in data_volumes(service):
            have = state.get("volumes", {}).get(volume["name"], {})
            if not (have.get("exists") and have.get("ours", True)):
                continue
            if keeps and not _is_of(have["labels"].get(LABEL_ENGINE), service["image"]["version"]):
                continue  # the container keeps its image of another release line; the check `versions` says so
            wanted = _wanted_formats(service, stack["image_source"], images, have["labels"].get(LABEL_SOURCE))
            found = have["labels"].get(LABEL_DATA_FORMAT, "unknown")
            if found == "unknown":
                unknown.append(volume["name"])
            elif found not in wanted:
                source = have["labels"].get(LABEL_SOURCE, "unknown source")
                faults.append(
                    f"{volume['name']} holds {found} ({source}), the image wants {' or '.join(sorted(wanted))}"
                )
    return Finding(
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


def check_secrets(stack: Mapping[str, Any], state: Mapping[str, Any]) -> Finding:
    """Find data whose secrets the inventory no longer has: new ones would lock everybody out."""
    secrets = stack.get("secrets", {"missing": [], "path": ""})
    volumes = state.get("volumes", {})
    missing = [pair.split("/", 1) for pair in secrets["missing"]]
    without = {service for service, account in missing if account in ACCOUNTS}
    lost = {
        volume["name"]: name
        for name in sorted(without & set(stack["services"]))
        for volume in data_volumes(stack["services"][name])
        if volumes.get(volume["name"], {}).get("exists")
    }
    if lost:
        # `secrets recover` reads the config volumes by the containers that mount them.
        held = all(state.get("services", {}).get(name, {}).get("ours") for name in lost.values())
        return Finding(
            "secrets",
            "Secrets",
            FAIL,
            f"volume {', '.join(sorted(lost))} with data, but no passwords for them in {secrets['path']}",
            "the secrets that the data were made with: a database ignores new ones",
            "put back the secrets file that the data were made with; another clone or inventory may hold it, or choose "
            "another stack_name for a stack of your own"
            + ("; if it is lost, ./ready secrets recover reads them back from the containers" if held else ""),
        )
    if unset := secrets.get("unset"):
        names = " and ".join(unset)
        return Finding(
            "secrets",
            "Secrets",
            FAIL,
            f"no key of {names} in {secrets['path']}",
            f"the key that the provider of {names} has given out",
            "; ".join(f"./ready secrets set --service {name}" for name in unset) + " asks for it",
        )
    due = any(its["due"] for its in stack.get("certificates", {}).values())
    if secrets.get("unwritable") and (missing or due or not stack.get("owner", {}).get("id", "known")):
        return Finding(
            "secrets",
            "Secrets",
            FAIL,
            f"{secrets['unwritable']}; new ones belong into {secrets['path']}",
            "an inventory that the user of this run can write to",
            "change its owner or rights, or set ready_secrets_file and ready_vault_key_file to places of your own",
        )
    return Finding("secrets", "Secrets", PASS, "to be made" if missing else "there, and none of them a documented one")
