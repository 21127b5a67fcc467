# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prove one service of a set in a scratch container: choose the image, load the data, compare them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from docker.errors import ImageNotFound

from ..common.verdict import FAIL, PASS
from ..secrets.redaction import without_secrets
from .base import Load
from .manifest import KINDS, BackupError, content_faults

if TYPE_CHECKING:
    from docker import DockerClient


def choose_image(client: DockerClient, part: Mapping[str, Any], here: Mapping[str, Any]) -> tuple[str, str]:
    """Return the id of the image that a set's part is loaded with, and how near it is to the one that made it.

    A dump makes new files, which have to be of the format that the service reads: that of another release line, or
    another source, is loaded with the service's own image.
    """
    made = part["image"]
    if not part["physical"] and made["data_format"] != here["data_format"]:
        return str(here["id"]), f"the image that runs here, of version {here['engine_version']}"
    try:
        client.images.get(made["id"])
    except ImageNotFound:
        pass
    else:
        return str(made["id"]), "the image that made the set"
    for digest in made.get("digests", []):
        try:
            return str(client.images.get(digest).id), "the image that made the set, by its digest"
        except ImageNotFound:
            continue
    if made["engine_version"] == here["engine_version"]:
        return str(
            here["id"]
        ), f"another image of the same version {made['engine_version']}, since that one is not here"
    return str(here["id"]), f"the image that runs here, of version {here['engine_version']}"


def prove(load: Load) -> dict[str, Any]:
    """Load a part, ask it, and return the outcome: {verdict, faults, seconds, asked, logins, things}."""
    started = time.monotonic()
    outcome: dict[str, Any] = {"verdict": PASS, "faults": [], "asked": [], "logins": 0, "things": load.part["things"]}
    try:
        load.load()
        outcome["load_seconds"] = round(time.monotonic() - started, 2)
        promised, found = load.promised(), load.fingerprint()
        outcome["faults"] = content_faults(promised, found)
        outcome["asked"] = [*load.integrity(), *(kind for kind in KINDS if promised.get(kind))]
        outcome["logins"] = load.logins()
        more = {"missing": load.missing, "retried": load.retried, "unasked": load.unasked}
        outcome |= {key: its for key, its in more.items() if its}
    except Exception as error:  # a drill reports: whatever an engine or driver raises is its finding
        text = without_secrets(" ".join(str(error).split()), load.scratch.passwords.values())
        outcome["faults"].append(text if isinstance(error, BackupError) else f"{type(error).__name__}: {text[:400]}")
    if outcome["faults"]:
        outcome["verdict"] = FAIL
    outcome["seconds"] = round(time.monotonic() - started, 2)
    return outcome
