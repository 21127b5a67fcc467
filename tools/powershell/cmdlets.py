# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What scripts may use: cmdlets.yml, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("cmdlets.yml")
PLACE = "tools/powershell/cmdlets.yml"


@dataclass(frozen=True)
class Cmdlet:
    """A cmdlet, from which build of Windows and which PowerShell it is there."""

    name: str
    build: int
    powershell: str
    source: str
    parameters: frozenset[str]
    newer: Mapping[str, int]
    nothing: bool


@dataclass(frozen=True)
class Known:
    """Everything in the list, names in small letters."""

    cmdlets: Mapping[str, Cmdlet]
    programs: frozenset[str]
    common: frozenset[str]
    aliases: frozenset[str]
    variables: frozenset[str]
    dotnet: Mapping[str, Mapping[str, Any]]
    scripts: Mapping[str, int]
    floor: int


def _words(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split())


def _cmdlet(name: str, entry: Mapping[str, Any], modules: Mapping[str, Any]) -> Cmdlet:
    module = modules[entry["module"]]
    return Cmdlet(
        name,
        entry.get("build", module["build"]),
        entry.get("powershell", module["powershell"]),
        module["source"],
        _words(entry["parameters"]),
        {key.casefold(): build for key, build in entry.get("newer", {}).items()},
        bool(entry.get("nothing")),
    )


def known_from(data: Mapping[str, Any]) -> Known:
    """Return the list that a file's content says."""
    return Known(
        {name.casefold(): _cmdlet(name, entry, data["modules"]) for name, entry in data["cmdlets"].items()},
        frozenset(name.casefold() for name in data["programs"]),
        _words(data["common"]),
        _words(data["aliases"]),
        _words(data["variables_6"]),
        {name.casefold(): entry for name, entry in data["dotnet"].items()},
        {name: entry["build"] for name, entry in data["scripts"].items()},
        data["floor"]["build"],
    )


@cache
def known() -> Known:
    """Return the list of this checkout."""
    return known_from(yaml.safe_load(FILE.read_text(encoding="utf-8")))
