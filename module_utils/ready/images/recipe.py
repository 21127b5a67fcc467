# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read the recipe of an image: files of images/<name>, fingerprint, name, build context."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path

from .build_settings import SUITE

BASE = "base"


def read_recipe(directory: Path, name: str, line: str = "") -> dict[str, bytes]:
    """Return the files of images/base and images/<name> as path -> content. Raises FileNotFoundError.

    Files of images/<name>-<line>, where a release line has such a directory, stand in for those of the same path.
    """
    if not (directory / name / "Containerfile").is_file():
        raise FileNotFoundError(f"{directory / name}/Containerfile is missing: no such image recipe")
    return {
        f"{part}/{path.relative_to(directory / source)}": path.read_bytes()
        for part, source in ((BASE, BASE), (name, name), (name, f"{name}-{line}"))
        for path in sorted((directory / source).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def suite_of(files: Mapping[str, bytes], name: str) -> str:
    """Return the Debian release that a recipe stands on: `ARG SUITE=` in its Containerfile, else the usual one."""
    match = re.search(r"(?m)^ARG SUITE=(\w+)$", files.get(f"{name}/Containerfile", b"").decode())
    return match[1] if match else SUITE


def recipe_hash(files: Mapping[str, bytes], name: str) -> str:
    """Return the fingerprint of an image's recipe: its own files and the base's, none of the host's settings."""
    digest = hashlib.sha256()
    for path in sorted(files):
        if path.startswith((f"{BASE}/", f"{name}/")):
            digest.update(f"{path}\0{hashlib.sha256(files[path]).hexdigest()}\n".encode())
    return digest.hexdigest()


def image_reference(name: str, version: str, recipe: str) -> str:
    """Return the name of a built image."""
    return f"ready/{name}:{version}-{recipe[:12]}"


def pack_recipe(files: Mapping[str, bytes]) -> bytes:
    """Return files as a tar that depends on path and content alone, so that Docker's cache does, too."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path in sorted(files):
            member = tarfile.TarInfo(path)
            member.size = len(files[path])
            member.mode = 0o755 if files[path].startswith(b"#!") else 0o644
            archive.addfile(member, io.BytesIO(files[path]))
    return stream.getvalue()


def unpack_recipe(recipe: str) -> dict[str, bytes]:
    """Return the files of a packed recipe, as the action plugin hands it over: a tar in base64."""
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(recipe))) as archive:
        return {member.name: handle.read() for member in archive if (handle := archive.extractfile(member))}


def build_context(files: Mapping[str, bytes], name: str, settings: Mapping[str, str]) -> bytes:
    """Return the build context of one image: its own files, base/shared as shared/, the host's settings as host/."""
    content = {path.partition("/")[2]: data for path, data in files.items() if path.startswith(f"{name}/")}
    content |= {path.partition("/")[2]: data for path, data in files.items() if path.startswith(f"{BASE}/shared/")}
    content |= {f"host/{path}": text.encode() for path, text in settings.items()}
    return pack_recipe(content)
