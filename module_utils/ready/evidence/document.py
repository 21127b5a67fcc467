# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Evidence: what a verb found, as a file that reports are made of. Written and read on the controller alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, cast

from .. import __version__
from ..common.clock import parse_timestamp, timestamp
from ..common.files import write_text
from ..common.plain import plain
from ..stack.schema import faults

NAMES = (
    "preflight",
    "health",
    "latency",
    "network",
    "availability",
    "security",
    "backup",
    "restore",
    "drill",
    "upgrade",
    "gold_standards",
    "frameworks",
    "test_app",
    "readiness",
    "run",
    "fleet",
)
PROVENANCES = ("real", "simulated")
#: The "host" of evidence about a whole stack, which lies beside the hosts' directories.
ALL_HOSTS = "all"
#: The "stack" of the one piece of evidence about all stacks, which lies beside the stacks' directories.
ALL_STACKS = "all"


class EvidenceError(ValueError):
    """Evidence that can't be written or may not be believed."""


class Evidence(TypedDict):
    """The envelope that all evidence shares; schemas/envelope.schema.json says the same to everybody else."""

    schema: str
    stack: str
    host: str
    provenance: str
    started_at: str
    finished_at: str
    ready_version: str
    verdict: str
    results: dict[str, Any]


@dataclass(frozen=True)
class Item:
    """One file of evidence that may be believed, and what identifies it."""

    evidence: Evidence
    path: Path
    sha256: str


@dataclass
class Found:
    """What lies in a stack's evidence directory."""

    hosts: dict[str, dict[str, Item]] = field(default_factory=dict)  #: host -> name -> item
    faults: list[str] = field(default_factory=list)  #: a message per file that is not believed


def make(
    name: str,
    stack: str,
    host: str,
    verdict: str,
    results: Mapping[str, Any],
    started_at: str,
    provenance: str = "real",
    finished_at: str | None = None,
) -> Evidence:
    """Return a document; `check` says whether it is good."""
    return {
        "schema": f"ready/{name}/1",
        "stack": str(stack),
        "host": str(host),
        "provenance": str(provenance),
        "started_at": str(started_at),
        "finished_at": finished_at or timestamp(),
        "ready_version": __version__,
        "verdict": str(verdict),
        "results": plain(results),
    }


def name_of(document: Mapping[str, Any]) -> str:
    """Return the name that a document's schema carries, "" when it carries none of ours."""
    parts = str(document.get("schema", "")).split("/")
    return parts[1] if len(parts) == 3 and parts[0] == "ready" and parts[1] in NAMES else ""


def check(document: Any) -> list[str]:
    """Return a message per fault of a document."""
    if not isinstance(document, Mapping):
        return ["(top): found no object, expected evidence"]
    name = name_of(document)
    if not name:
        return [f"schema: found {document.get('schema')!r}, expected ready/<name>/1 with one of {', '.join(NAMES)}"]
    messages = faults(document, f"evidence/{name}.schema.json")
    if not messages:
        try:
            if parse_timestamp(document["finished_at"]) < parse_timestamp(document["started_at"]):
                messages.append(f"finished_at: found {document['finished_at']}, expected no earlier than started_at")
        except ValueError as error:
            messages.append(f"started_at, finished_at: {error}")
    return messages


def path_of(directory: Path, stack: str, host: str, name: str) -> Path:
    """Return where a document lies. Raises EvidenceError for names that would leave the directory."""
    for part in (stack, host):
        if part in {"", ".", ".."} or part != Path(part).name or part.startswith("."):
            raise EvidenceError(f"found {part!r}, expected a name of a stack or host without / and leading dot")
    if name == "fleet":
        return directory / f"{name}.json"
    folder = directory / stack
    return (folder if host == ALL_HOSTS else folder / host) / f"{name}.json"


def write(directory: Path, document: Evidence) -> Path:
    """Check a document, write it in one step, and return its path. Raises EvidenceError; nothing is written then."""
    messages = check(document)
    if messages:
        raise EvidenceError("; ".join(messages))
    path = path_of(directory, document["stack"], document["host"], name_of(document))
    try:
        write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    except (OSError, TypeError, ValueError) as error:
        step = "Next: make its directory writable, or set ready_evidence_dir"
        raise EvidenceError(f"{path} could not be written: {error}. {step}") from error
    return path


def read(path: Path) -> Item:
    """Return the evidence in a file. Raises EvidenceError when it is unreadable or not what its place says."""
    try:
        content = path.read_bytes()
        document = json.loads(content)
    except (OSError, ValueError) as error:
        raise EvidenceError(f"unreadable ({error})") from error
    messages = check(document)
    if messages:
        raise EvidenceError("invalid: " + "; ".join(messages))
    return Item(cast(Evidence, document), path, hashlib.sha256(content).hexdigest())


def read_all(directory: Path, stack: str) -> Found:
    """Return the evidence of a stack's hosts; what may not be believed is left out and named in `faults`."""
    found = Found()
    for path in sorted((directory / stack).glob("*/*.json")):
        host = path.parent.name
        if host.startswith(".") or path.name.startswith("."):
            continue
        try:
            item = read(path)
            ours = (stack, host, path.stem)
            says = (item.evidence["stack"], item.evidence["host"], name_of(item.evidence))
            if says != ours:
                raise EvidenceError(f"foreign: it says {'/'.join(says)}, expected {'/'.join(ours)}")
        except EvidenceError as error:
            found.faults.append(
                f"{path.relative_to(directory)}: {error}; it does not count. Next: remove it and run its verb again."
            )
            continue
        found.hosts.setdefault(host, {})[path.stem] = item
    return found


def earlier(directory: Path, stack: str, host: str, name: str) -> dict[str, Any]:
    """Return a stack's earlier evidence of a name, {results: {}} when there is none that may be believed."""
    try:
        return dict(read(path_of(directory, stack, host, name)).evidence)
    except EvidenceError:
        return {"results": {}}
