# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which engine may follow which: compatibility.yml, and what it says about a stack. Runs on the controller."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..common.finding import Finding
from ..common.labels import LABEL_DATA_FORMAT, LABEL_ENGINE, LABEL_SOURCE
from ..common.paths import ROOT
from ..common.verdict import FAIL, PASS
from ..stack.image_names import stack_images
from ..stack.resolved import containers, data_volumes

FILE = ROOT / "compatibility.yml"
REFUSE = "refuse"
UNKNOWN = "unknown"
_STATELESS = "it keeps no data: up --rebuild takes today's image"


@dataclass(frozen=True)
class Move:
    """What is to happen to one service.

    Attributes:
        service: its name.
        action: "upgrade", "none" or "refuse".
        found: engine version that made the data, such as "15.20".
        wanted: release line that the inventory asks for.
        row: id of the row of the matrix, "" where none fits.
        how: swap, dump_restore or migrate_forward; "" unless the action is "upgrade".
        rollback: swap or copy, as the row says.
        reason: why nothing is to be done, or why it is refused.
    """

    service: str
    action: str
    found: str
    wanted: str
    row: str = ""
    how: str = ""
    rollback: str = ""
    reason: str = ""


@cache
def load(path: Path = FILE) -> dict[str, Any]:
    """Return the matrix; a test holds it against schemas/compatibility.schema.json."""
    with path.open(encoding="utf-8") as stream:  # by libyaml where it is there: a tenth of the time
        matrix: dict[str, Any] = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # a safe loader
    return matrix


def line_of(version: str, lines: Iterable[str]) -> str:
    """Return the release line that a version belongs to, the version itself where none is known."""
    fitting = [line for line in lines if version == line or version.startswith(f"{line}.")]
    return max(fitting, key=len, default=version)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def find_row(
    matrix: Mapping[str, Any], service: str, from_line: str, to_line: str, same_format: bool
) -> Mapping[str, Any] | None:
    """Return the row for a move, None where the matrix has none."""
    for row in matrix["rows"]:
        fits = (row["service"], row["from"], row["to"]) == (service, from_line, to_line)
        if fits and (row.get("data_format") != "same" or same_format):
            return dict(row)
    return None


def recorded(service: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, str]:
    """Return {engine_version, data_format, source} of a service's data, as its volumes say; {} without them."""
    for volume in data_volumes(service):
        have = state["volumes"].get(volume["name"], {})
        if have.get("exists") and have.get("ours") and LABEL_ENGINE in have["labels"]:
            return {
                "engine_version": have["labels"][LABEL_ENGINE],
                "data_format": have["labels"].get(LABEL_DATA_FORMAT, UNKNOWN),
                "source": have["labels"].get(LABEL_SOURCE, UNKNOWN),
            }
    return {}


def stateless(service: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """Return the engine version of a service without data, as its container's image says; "" where it says none."""
    if data_volumes(service):
        return ""
    image = state["services"].get(service["name"], {}).get("image", {})
    return str((image.get("labels") or {}).get(LABEL_ENGINE, ""))


def decide(
    service: Mapping[str, Any],
    state: Mapping[str, Any],
    matrix: Mapping[str, Any],
    image: Mapping[str, Any] | None = None,
) -> Move:
    """Return what the matrix says about one service.

    Args:
        service: the resolved service, whose `image.version` is the line that is wanted.
        state: what `stack_state` read.
        matrix: the compatibility matrix.
        image: the image that was found for the wanted line {id, engine_version, data_format}; without it a move
            within a line is not decided.
    """
    name, wanted = service["name"], service["image"]["version"]
    have, data = state["services"][name], recorded(service, state)
    if have["exists"] and not data_volumes(service):
        return Move(name, "none", stateless(service, state), wanted, reason=_STATELESS)
    if not have["exists"] or not data:
        return Move(name, "none", data.get("engine_version", ""), wanted, reason="not there yet: up makes it")
    found = data["engine_version"]
    formats = {str(value) for value in service["image"]["data_format"].values()}
    same_format = data["data_format"] == image["data_format"] if image else data["data_format"] in formats
    line = line_of(found, matrix["lines"].get(name, {}))
    if line == wanted and image and image.get("id") == have["image"]["id"]:
        return Move(name, "none", found, wanted, reason="it runs what is asked for")
    row = find_row(matrix, name, line, wanted, same_format)
    if row is None:
        return Move(name, REFUSE, found, wanted, reason=f"no row of compatibility.yml goes from {line} to {wanted}")
    identifier = str(row["id"])
    if row["how"] == REFUSE:
        return Move(name, REFUSE, found, wanted, identifier, reason=f"row {identifier}: {row['why']}")
    if line == wanted and image is None:
        return Move(name, "none", found, wanted, identifier, reason="it runs the line that is asked for")
    newer = (image or {}).get("engine_version", "")
    if newer and line == wanted and _numbers(newer) < _numbers(found):
        why = f"row {identifier}: the image has {newer}, older than the data"
        return Move(name, REFUSE, found, wanted, identifier, reason=why)
    if not have["running"]:
        why = f"{service['container']} is {have['status']}, and only a running service is moved"
        return Move(name, REFUSE, found, wanted, identifier, reason=why)
    return Move(name, "upgrade", found, wanted, identifier, str(row["how"]), str(row["rollback"]))


def moves(
    stack: Mapping[str, Any],
    state: Mapping[str, Any],
    matrix: Mapping[str, Any],
    images: Mapping[str, Any] | None = None,
    only: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return a `Move`, as data, for each service of the stack, or of `only`; `images` as `decide` takes them."""
    strange = [name for name in only or [] if name not in stack["services"]]
    return [asdict(Move(name, REFUSE, "none", "none", reason="the stack has no such service")) for name in strange] + [
        asdict(decide(service, state, matrix, (images or {}).get(name)))
        for name, service in stack["services"].items()
        if not only or name in only
    ]


def refusals(host: str, decided: Iterable[Mapping[str, Any]]) -> str:
    """Return a line per move that is refused."""
    return "\n".join(
        f"{host}: {move['service']}: found data of {move['found']}, {move['wanted']} is wanted: refused, "
        f"{move['reason']}. Nothing was changed. Next: set {move['service']}_version to the line of the data."
        for move in decided
        if move["action"] == REFUSE
    )


def check(stack: Mapping[str, Any], state: Mapping[str, Any], matrix: Mapping[str, Any]) -> Finding:
    """Return what `preflight` says about versions: `up` never upgrades, and what the matrix refuses is refused here."""
    title, expected = "Versions", "data of the release line that is wanted, or a move that compatibility.yml allows"
    if broken := state.get("upgrade"):
        return Finding(
            "versions", title, FAIL,
            f"an upgrade of {broken['service']} to {broken['move']['wanted']} that was interrupted",
            "no upgrade under way", "./ready upgrade puts the old version back, and continues",
        )  # fmt: skip
    decided = [decide(service, state, matrix) for service in stack["services"].values()] if state.get("volumes") else []
    # A service that stands still can be upgraded once it runs: for `up` that is no fault.
    refused = [move for move in decided if move.action == REFUSE and not move.reason.endswith("is moved")]
    if refused:
        found = "; ".join(f"{move.service}: data of {move.found}, {move.wanted} is wanted" for move in refused)
        after = "; ".join(f"{move.service}_version: {move.reason}" for move in refused)
        return Finding("versions", title, FAIL, found, expected, f"set the version back ({after})")
    waiting = [move for move in decided if move.action != "none"]
    if waiting:
        found = "; ".join(f"{move.service} keeps {move.found}, {move.wanted} is wanted" for move in waiting)
        return Finding("versions", title, PASS, found, expected, "./ready upgrade")
    return Finding("versions", title, PASS, "those that are wanted", expected)


def end_of_life(line: Mapping[str, Any], source: str, today: str) -> str:
    """Return until when a release line is maintained, for people.

    Args:
        line: its entry in the matrix; {} for one that it does not know.
        source: where the image is from, as the data say; "" without data.
        today: a date such as 2026-01-31.
    """
    eol = line.get("eol")
    if not isinstance(eol, Mapping):
        eol = {source: eol}
    months = {key: eol[key] for key in ([source] if source in eol else eol)}
    dates = {
        key: f"{month}{' (over)' if month < today[:7] else ''}" if month else "not stated"
        for key, month in months.items()
    }
    return next(iter(dates.values())) if len(dates) == 1 else ", ".join(f"{key}: {text}" for key, text in dates.items())


def version_rows(
    stack: Mapping[str, Any],
    state: Mapping[str, Any],
    lock: Mapping[str, Any],
    matrix: Mapping[str, Any],
    today: str,
) -> list[dict[str, str]]:
    """Return a row per image for `versions`; `lock` is the image lock, `today` a date such as 2026-01-31."""
    rows = []
    for name, image in stack_images(stack).items():
        service = containers(stack)[image["users"][0]]
        lines = matrix["lines"].get(name, {})
        data = recorded(service, state) if state.get("volumes") else {}
        wanted = service["image"]["version"]
        line = line_of(data["engine_version"], lines) if data else wanted
        further: dict[str, list[str]] = {}
        for row in matrix["rows"]:
            if row["service"] == name and row["from"] == line != row["to"] and row["how"] != REFUSE:
                further.setdefault(row["to"], []).append(row["how"])
        entry = lock.get(name, {})
        move = decide(service, state, matrix) if data else None
        rows.append(
            {
                "service": name,
                "running": data.get("engine_version") or stateless(service, state) or "-",
                "image": state["services"][service["name"]].get("image", {}).get("ref", "-"),
                "locked": f"{entry['tag']} {entry['digest'][:19]}" if entry else "-",
                "wanted": wanted,
                "next": "-" if move is None or move.action == "none" else move.reason or "./ready upgrade",
                "available": ", ".join(f"{to} ({' or '.join(hows)})" for to, hows in further.items()) or "-",
                "eol": end_of_life(lines.get(line, {}), data.get("source", ""), today),
            }
        )
    return rows
