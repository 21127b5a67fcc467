# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requirements as data: readiness/adr-009.yml, read and checked. Runs on the controller."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jmespath
import yaml

from ..common.paths import ROOT
from ..common.verbs import verb_name
from ..common.verdict import PASS
from ..stack.schema import faults

FILE = ROOT / "readiness" / "adr-009.yml"
NOT_BUILT = " (not built yet)"


@dataclass(frozen=True)
class Predicate:
    """A figure inside evidence and what it must be."""

    what: str
    path: str
    operator: str
    value: Any
    unit: str = ""

    @property
    def expected(self) -> str:
        """Return the objective in words: "< 10 ms", "pass"."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{'' if self.operator == '==' else f'{self.operator} '}{self.value}{unit}"

    @property
    def service(self) -> str:
        """Return the service that the figure is about, "" where it is about none."""
        found = re.match(r"results\.services\.(\w+)", self.path)
        return found[1] if found else ""


@dataclass(frozen=True)
class Source:
    """How to get a kind of evidence, how to get what is missing inside it, and how old it may be.

    `own_verdicts`: each part of the results says by itself whether its data suffice, and the requirements ask it.
    """

    how: str
    deeper: str
    max_age_days: float
    own_verdicts: bool = False


@dataclass(frozen=True)
class Requirement:
    """One row: the predicates over one kind of evidence that must all hold."""

    id: str
    title: str
    section: str
    weight: float
    evidence: str
    source: Source
    predicates: tuple[Predicate, ...]
    every_host: bool = True
    application: bool = False
    unbuilt: tuple[str, ...] = ()  #: the services among those that it is about that nothing defines
    windows: str = ""  #: how to get it of a distro on Windows, where its Windows host shows it; "" where it is its own

    @property
    def objective(self) -> str:
        """Return all that is expected, in words."""
        return "; ".join(
            f"{item.what}{':' if item.operator == '==' else ''} {item.expected}" for item in self.predicates
        )


@dataclass(frozen=True)
class Group:
    """A section or a gate: requirements by id."""

    id: str
    title: str
    requirements: tuple[str, ...]
    source: str = ""
    judged: bool = True


@dataclass(frozen=True)
class Requirements:
    """All of them."""

    requirements: dict[str, Requirement]
    sections: tuple[Group, ...]
    gates: tuple[Group, ...] = field(default=())


def _predicates(entries: Iterable[Mapping[str, Any]]) -> tuple[Predicate, ...]:
    return tuple(
        Predicate(
            entry["what"].replace("{each}", each),
            entry["path"].replace("{each}", each),
            entry["is"],
            entry["value"],
            entry.get("unit", ""),
        )
        for entry in entries
        for each in entry.get("each", [""])
    )


def _is_jmespath(path: str) -> bool:
    try:
        jmespath.compile(path)
    except jmespath.exceptions.JMESPathError:
        return False
    return True


def check(data: Mapping[str, Any]) -> list[str]:
    """Return a message per fault of the requirements."""
    messages = faults(data, "requirements.schema.json")
    if messages:
        return messages
    entries = [entry for section in data["sections"] for entry in section["requirements"]]
    ids = [entry["id"] for entry in entries]
    messages += [f"{name}: found {count} times, expected once" for name, count in Counter(ids).items() if count > 1]
    for section in data["sections"]:
        weight = sum(entry["weight"] for entry in section["requirements"])
        if abs(weight - section["weight"]) > 1e-6:
            messages.append(f"{section['id']}: its requirements weigh {weight:g}, expected {section['weight']:g}")
    total = sum(section["weight"] for section in data["sections"])
    if abs(total - 100) > 1e-6:
        messages.append(f"sections: they weigh {total:g}, expected 100")
    for entry in entries:
        if entry["evidence"] not in data["evidence"]:
            messages.append(
                f"{entry['id']}: found evidence {entry['evidence']!r}, expected one of {', '.join(data['evidence'])}"
            )
        predicates = _predicates(entry["predicates"])
        own = data["evidence"].get(entry["evidence"], {}).get("own_verdicts") and entry["weight"] > 0
        if own and not any(predicate.value == PASS for predicate in predicates):
            messages.append(f"{entry['id']}: found no predicate for the verdict {PASS}, expected the part's own")
        for predicate in predicates:
            if not _is_jmespath(predicate.path):
                messages.append(f"{entry['id']}: {predicate.path!r} is no JMESPath")
    for gate in data["gates"]:
        messages += [f"{gate['id']}: unknown requirement {name}" for name in gate["requirements"] if name not in ids]
    return messages


def parse(data: Mapping[str, Any], verbs: Iterable[str], services: Iterable[str]) -> Requirements:
    """Return requirements from data that `check` found good; `verbs` and `services` are those that exist."""
    existing, defined = set(verbs), {"", *services}

    def how(verb: str) -> str:
        return f"./ready {verb_name(verb)}{'' if verb in existing else NOT_BUILT}"

    sources = {
        name: Source(
            how(entry["verb"]),
            how(entry.get("deepened_by", entry["verb"])),
            entry["max_age_days"],
            entry.get("own_verdicts", False),
        )
        for name, entry in data["evidence"].items()
    }
    rows = {
        entry["id"]: Requirement(
            id=entry["id"],
            title=entry["title"],
            section=section["id"],
            weight=entry["weight"],
            evidence=entry["evidence"],
            source=sources[entry["evidence"]],
            predicates=_predicates(entry["predicates"]),
            every_host=entry.get("scope", "every") == "every",
            application=entry.get("application", False),
            unbuilt=tuple(
                dict.fromkeys(its.service for its in _predicates(entry["predicates"]) if its.service not in defined)
            ),
            windows=how(entry["windows_verb"]) if "windows_verb" in entry else "",
        )
        for section in data["sections"]
        for entry in section["requirements"]
    }
    sections = tuple(
        Group(
            section["id"],
            section["title"],
            tuple(entry["id"] for entry in section["requirements"]),
            section["source"],
            section.get("judged", True),
        )
        for section in data["sections"]
    )
    gates = tuple(Group(gate["id"], gate["title"], tuple(gate["requirements"])) for gate in data["gates"])
    return Requirements(rows, sections, gates)


def load(path: Path = FILE) -> Requirements:
    """Return the project's requirements; unit tests hold the file against `check`."""
    with path.open(encoding="utf-8") as stream:
        data = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # a safe loader
    verbs, services = ([item.stem for item in (ROOT / name).glob("*.yml")] for name in ("playbooks", "services"))
    return parse(data, verbs, services)
