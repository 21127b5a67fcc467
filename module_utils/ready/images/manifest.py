# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read and make manifest.json, which lists archives of images. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: What the archives' manifest.json says of each image, and what that looks like.
_ARCHIVE = {
    "file": re.compile(r"\w[\w.-]*"),  # a name, no path: the manifest must not lead out of its directory
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "ref": re.compile(r"[\w./:-]+:[\w.-]+"),
    "id": DIGEST,
    "source": re.compile(r"\w+"),
    "data_format": re.compile(r"[\w.-]+"),
    "engine_version": re.compile(r"[\w.-]+"),
}


def read_archives(directory: str, text: str | None) -> dict[str, Any]:
    """Return {images, reason} of a directory of archives; `text` is its manifest.json, if there is one.

    `reason` says why a service that is not in `images` has no archive.
    """
    if not directory:
        return {"images": {}, "reason": "container_images_archive_dir is not set"}
    path = f"{directory}/manifest.json"
    if text is None:
        return {"images": {}, "reason": f"{path} is missing"}
    images: Any
    try:
        images = json.loads(text)["images"]
        for name, entry in images.items():
            for key, pattern in _ARCHIVE.items():
                if not isinstance(entry.get(key), str) or not pattern.fullmatch(entry[key]):
                    raise ValueError(f"{name}: {key} is {entry.get(key)!r}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return {"images": {}, "reason": f"{path} is not what ./ready images save writes ({error})"}
    return {"images": images, "reason": f"{path} does not list it"}


def archive_file(name: str) -> str:
    """Return the name of an image's archive in its directory."""
    return f"{name}.tar"


def archive_entries(images: Mapping[str, Any], checksums: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
    """Return what manifest.json says of each archive.

    Args:
        images: name -> {ref, id, source, data_format, engine_version}.
        checksums: name -> sha256 of its archive, None where there is none yet.
    """
    keys = ("id", "source", "data_format", "engine_version")
    return {
        name: {
            "file": archive_file(name),
            "sha256": checksums[name],
            "ref": archive_ref(name, image),
            **{key: image[key] for key in keys},
        }
        for name, image in images.items()
    }


def archive_ref(name: str, image: Mapping[str, Any]) -> str:
    """Return a name that an image can have once it is loaded: neither a digest nor an id can be given to one."""
    ref = str(image["ref"])
    if "@" not in ref and ":" in ref and not DIGEST.fullmatch(ref):
        return ref
    return f"ready/{name}:{image['engine_version']}-{str(image['id']).partition(':')[2][:12]}"
