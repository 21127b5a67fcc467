# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check an option's value against its spec: range, form, path, service name. Runs on the controller.

`minimum` and `maximum` belong to every number, `pattern` with `expected` to text that has a form, and `access` to a
path that is used on the controller: `read` (it is there), `write` (a file that can be written), `make` (a directory
that is there, or can be made). `names: services` is text that names a service; `with` is the option without which this
one does nothing. `positional: true` is given as a word after the verb, in the order of the spec, and not as an option.
Ansible's own validation ignores these.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..common.paths import ROOT

SERVICES = ROOT / "services"
_KINDS: dict[str, tuple[type, str]] = {"int": (int, "a whole number"), "float": (float, "a number")}


def bound_faults(label: str, option: Mapping[str, Any], value: Any) -> Iterator[str]:
    """Yield what is wrong with a value, as "label: found …, expected …".

    Args:
        label: what the user calls it, such as --samples.
        option: its spec.
        value: as given; text counts as the number that it reads as. A list is looked at item by item.
    """
    if option.get("type") == "list":
        kind = option.get("elements", "str")
        for item in value if isinstance(value, list) else str(value).split(","):
            yield from bound_faults(label, {**option, "type": kind}, item)
        return
    kind = option.get("type", "str")
    if kind in _KINDS:
        yield from _number(label, option, value, *_KINDS[kind])
    elif kind in {"str", "path"}:
        yield from _text(label, option, str(value))


@cache
def service_names() -> list[str]:
    """Return every service and sidecar that there is a definition of; what a stack has of them is decided later."""
    return sorted(path.stem for path in SERVICES.rglob("*.yml"))


def _number(
    label: str, option: Mapping[str, Any], value: Any, kind: Callable[[Any], float], word: str
) -> Iterator[str]:
    least, most = option.get("minimum"), option.get("maximum")
    expected = word if least is None else f"{word} from {least} to {most}"
    try:
        number = kind(value if isinstance(value, (int, float)) else str(value))
        fits = not isinstance(value, bool) and number == float(value)  # not 1.5 for a whole number
    except (ValueError, OverflowError):
        fits = False
    # Written so that NaN is outside of every range.
    if not fits or (least is not None and most is not None and not least <= number <= most):
        yield f"{label}: found {value}, expected {expected}"


def _text(label: str, option: Mapping[str, Any], value: str) -> Iterator[str]:
    choices = service_names() if "names" in option else option.get("choices")
    if choices and value not in choices:
        yield f"{label}: found {value!r}, expected one of {', '.join(choices)}"
    elif "pattern" in option and not re.fullmatch(option["pattern"], value):
        yield f"{label}: found {value!r}, expected {option['expected']}"
    elif "access" in option and value and (fault := path_fault(Path(value).expanduser(), option["access"])):
        yield f"{label}: found {fault}"


def path_fault(path: Path, access: str) -> str | None:
    """Return why a path can't be read, written or made, as "…, expected …"; None if it can."""
    if access == "read":
        return None if os.access(path, os.R_OK) else f"nothing that can be read at {path}, expected a path that exists"
    if access == "write":
        if path.is_dir():
            return f"the directory {path}, expected a file"
        if path.exists():
            return None if os.access(path, os.W_OK) else f"{path} not writable, expected a file that can be written"
        path = path.parent
        if not path.exists():
            return f"no directory {path.absolute()}, expected one that exists"
    return why_not_writable(path)


def why_not_writable(path: Path) -> str | None:
    """Return why nothing can be written into a directory that may have to be made first; None if it can."""
    there = next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return None
    if there.is_dir():
        return f"{there} is not writable, expected a directory that this user can write to"
    return f"{there} is a file, expected a directory"


def options_with_bounds(
    points: Iterable[Mapping[str, Any]], keys: Collection[str] = ("minimum", "pattern")
) -> dict[str, Mapping[str, Any]]:
    """Return variable -> spec of every option that has one of our keys, of these verbs and entry points of roles.

    A path that one verb reads and another one makes is left out: its name does not tell what it is for.
    """
    found: dict[str, Mapping[str, Any]] = {}
    unclear = set()
    for point in points:
        for name, option in point.get("options", {}).items():
            if set(keys) & set(option) and found.setdefault(name, option).get("access") != option.get("access"):
                unclear.add(name)
    return {name: option for name, option in found.items() if name not in unclear}


def variable_faults(options: Mapping[str, Mapping[str, Any]], variables: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the variables that are set, values as a task sees them."""
    given = {name: variables[name] for name in options if variables.get(name) is not None}
    return [fault for name, value in given.items() for fault in bound_faults(name, options[name], value)]
