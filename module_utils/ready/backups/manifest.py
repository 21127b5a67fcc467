# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make, check and compare manifests of backup sets. Pure functions over plain data."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ..common.checksum import sha256_of
from ..common.clock import parse_timestamp, timestamp

SCHEMA = "ready/backup_manifest/1"
FILE = "manifest.json"
#: What content is made of.
KINDS = ("counts", "checksums", "names", "samples")
#: What settings, manifests and evidence have for a level -> its name. Earlier versions know the former alone.
LEVEL_NAMES = {"fuzzy": "per_service", "quiesced": "synchronized"}
#: Each store is consistent by itself; all stores are of one moment.
PER_SERVICE, SYNCHRONIZED = LEVEL_NAMES
#: Seconds by which clocks of machines that share a repository may differ.
AHEAD_SECONDS = 60.0
_SHOWN = 5


class BackupError(Exception):
    """A backup, drill or restore can't go on; the message says what was found, expected, and the next step."""


class BusyError(BackupError):
    """Another run of the same stack is at work."""


def new_id(now: datetime) -> str:
    """Return a set's name: its moment in UTC, and four digits that tell two of the same second apart."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def level_of(name: str) -> str:
    """Return what is written for a level, which may be given by its name or as it is written."""
    return next((level for level, known in LEVEL_NAMES.items() if known == name), name)


def level_name(level: str) -> str:
    """Return the name of a level that was written."""
    return LEVEL_NAMES.get(level, level)


def describe_files(directory: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return name -> {size, sha256} of files in a directory. Raises OSError."""
    return {
        name: {"size": (directory / name).stat().st_size, "sha256": sha256_of(directory / name)}
        for name in sorted(names)
    }


def file_faults(part: Mapping[str, Any], directory: Path) -> list[str]:
    """Return a message per file of a part that is not, byte for byte, what the manifest says."""
    messages = []
    for name, expected in part["files"].items():
        path = directory / name
        if not path.is_file():
            messages.append(f"{name}: found no such file, expected {expected['size']} bytes")
        elif path.stat().st_size != expected["size"]:
            messages.append(f"{name}: found {path.stat().st_size} bytes, expected {expected['size']}")
        elif sha256_of(path) != expected["sha256"]:
            messages.append(f"{name}: found other bytes than were written (SHA-256 differs)")
    return messages


def content_faults(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return a message per count, checksum, name or sample in which restored data differ from what was dumped.

    Both are what a store's `fingerprint` returns: {counts, checksums, names, samples}.
    """
    messages = []
    for kind in KINDS[:-1]:
        want, have = expected.get(kind, {}), found.get(kind, {})
        messages += [
            f"{kind} {key}: found {have.get(key)!r}, expected {want.get(key)!r}"
            for key in sorted({*want, *have})
            if want.get(key) != have.get(key)
        ]
    have_samples = {item["key"]: item for item in found.get("samples", [])}
    messages += [
        f"sample {item['key']}: found {have_samples.get(item['key'])!r}, expected {item!r}"
        for item in expected.get("samples", [])
        if have_samples.get(item["key"]) != item
    ]
    hidden = len(messages) - _SHOWN
    return messages if hidden <= 0 else [*messages[:_SHOWN], f"and {hidden} differences more"]


def dump_fault(live: int, dumped: int, exact: bool) -> str:
    """Return why a dump can't be all of what the store had, "" when it can.

    Args:
        live: how many things the store itself counted around the dump; the smaller of two counts.
        dumped: how many are in the dump.
        exact: whether writers were fenced, so that both must be equal.
    """
    if exact and live != dumped:
        return f"found {dumped} in the dump, expected the {live} that the store counted while writers were fenced"
    if live and not dumped:
        return f"found nothing in the dump, expected about {live}"
    return ""


def skew(marks: Mapping[str, float], fenced: bool) -> float:
    """Return the seconds between the first and the last store's moment; 0 when writers were fenced meanwhile."""
    return 0.0 if fenced or not marks else round(max(marks.values()) - min(marks.values()), 3)


def version(text: str) -> tuple[int, ...]:
    """Return a version as numbers, for comparison: "15.20 (Debian …)" -> (15, 20)."""
    found = re.search(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()


def refusals(manifest: Mapping[str, Any], images: Mapping[str, Mapping[str, Any]], only: Sequence[str]) -> list[str]:
    """Return why parts of a set can't be loaded into what this stack runs, a message each.

    Args:
        manifest: the set's.
        images: service -> {engine_version, data_format}, of the stack that is to take it.
        only: the services to load.
    """
    messages = []
    for name in only:
        part = manifest["parts"].get(name)
        if part is None:
            messages.append(f"{name}: set {manifest['id']} has no part of it; it has {', '.join(manifest['parts'])}")
            continue
        made, here = part["image"], images.get(name, {})
        theirs, ours = str(made["engine_version"]), str(here.get("engine_version", "unknown"))
        if version(ours)[: len(version(theirs))] < version(theirs):
            messages.append(
                f"{name}: set {manifest['id']} was made by version {theirs}, this stack runs {ours}, and no engine "
                "loads the data of a newer one. Next: run the newer version here, or choose an older set (--set)"
            )
        elif part["physical"] and made["data_format"] != here.get("data_format"):
            messages.append(
                f"{name}: set {manifest['id']} holds data of the format {made['data_format']}, this stack's is "
                f"{here.get('data_format')}. Next: use the image source that it was made with ({made['source']})"
            )
    return messages


def manifest_faults(manifest: Any) -> list[str]:
    """Return why something is not a manifest that can be worked with; schemas/ says it in full."""
    if not isinstance(manifest, Mapping) or manifest.get("schema") != SCHEMA:
        return [f"found no {SCHEMA}, expected a set's manifest"]
    missing = [key for key in ("id", "stack", "level", "parts", "finished_at") if key not in manifest]
    return [f"manifest: found no {key}" for key in missing]


def age(manifest: Mapping[str, Any], now: datetime) -> float:
    """Return the seconds since the oldest part's moment: what would be lost (RPO)."""
    return (now - min(parse_timestamp(part["consistent_at"]) for part in manifest["parts"].values())).total_seconds()


def future_fault(manifest: Mapping[str, Any], now: datetime) -> str:
    """Return what is wrong with a set that is dated in the future; empty when it is not.

    It would stay the newest one, whatever is made after it, and its age would say nothing.
    """
    seconds = -age(manifest, now)
    if seconds <= AHEAD_SECONDS:
        return ""
    return (
        f"set {manifest['id']} is dated {seconds:.0f} s ahead of this host's clock, so neither its age nor which set "
        "is the newest is known. Next: see whether the clock is right now (timedatectl); ./ready backup list names "
        "the sets, --set chooses another one"
    )


def summary(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest as evidence shows it: all figures, none of the names and samples that are user data."""
    parts = {
        name: {key: value for key, value in part.items() if key not in {"content", "databases"}}
        for name, part in manifest["parts"].items()
    }
    return {**manifest, "parts": parts}


def utc(seconds: float) -> str:
    """Return epoch seconds as evidence writes a moment."""
    return timestamp(datetime.fromtimestamp(seconds).astimezone())
