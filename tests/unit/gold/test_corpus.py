"""Precision and recall of the gold standards on the corpus; tests/gold/corpus/README.md says what a label means."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from ready.gold.engine import analyse
from ready.gold.rules import RULES

CORPUS = Path(__file__).resolve().parents[2] / "gold" / "corpus"
ENOUGH = 0.98
_COMMENT = re.compile(r"\s*# (judged|found in|found|fine): (.*)")
_ID = re.compile(r"[A-Z]+\d\d")


class Place(NamedTuple):
    """A line of a file, and a rule."""

    path: str
    line: int
    rule: str

    def __str__(self) -> str:
        """Return it as an editor finds it."""
        return f"{self.path}:{self.line} {self.rule}"


@dataclass
class Labels:
    """What a file must have and must not have."""

    judged: set[str] = field(default_factory=set)
    #: Where a finding must be -> the lines on which it may be.
    found: dict[Place, range] = field(default_factory=dict)
    fine: set[Place] = field(default_factory=set)


@dataclass
class Tally:
    """How a rule did."""

    hits: int = 0
    false: list[Place] = field(default_factory=list)
    missed: list[Place] = field(default_factory=list)
    fine: int = 0

    @property
    def precision(self) -> float:
        """Return the share of the findings that are right."""
        return self.hits / (self.hits + len(self.false)) if self.hits + len(self.false) else 1.0

    @property
    def recall(self) -> float:
        """Return the share of the violations that are found."""
        return self.hits / (self.hits + len(self.missed)) if self.hits + len(self.missed) else 1.0

    def __str__(self) -> str:
        """Return its figures."""
        return (
            f"{self.hits + len(self.missed):3} found {self.fine:3} fine"
            f"  precision {self.precision:.3f}  recall {self.recall:.3f}"
        )


def projects() -> Iterator[tuple[Path, list[Path]]]:
    """Yield root and what to judge: a file of an area by itself, a directory below it as a whole."""
    for area in sorted(path for path in CORPUS.iterdir() if path.is_dir()):
        for path in sorted(area.iterdir()):
            if path.is_dir() or path.suffix == ".py":
                yield (path if path.is_dir() else area), [path]


def spans(text: str) -> dict[int, range]:
    """Return first line -> lines of the statement that begins there, its decorators included."""
    found: dict[int, range] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt):
            first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
            end = max(node.end_lineno or first, found[first].stop - 1 if first in found else first)
            found[first] = range(first, end + 1)
    return found


def labels(path: Path, name: str) -> Labels:
    """Return the labels of a file; `name` is its path in reports."""
    found, text = Labels(), path.read_text(encoding="utf-8")
    statements = spans(text)
    for number, line in enumerate(text.splitlines(), 1):
        if not (match := _COMMENT.fullmatch(line)):
            continue
        for rule in _ID.findall(match[2]):
            place = Place(name, number + 1, rule)
            if match[1] == "judged":
                found.judged.add(rule)
            elif match[1] == "fine":
                found.fine.add(place)
            else:
                whole = match[1] == "found in"
                found.found[place] = statements[number + 1] if whole else range(number + 1, number + 2)
    return found


@cache
def measured() -> dict[tuple[str, str], Tally]:
    """Return (area, rule) -> how it did."""
    found: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
    for root, paths in projects():
        area = root.relative_to(CORPUS).parts[0]
        result = analyse(paths, root, jobs=1)
        files = paths if paths[0].is_file() else sorted(root.rglob("*.py"))
        assert [item.path for item in result.judged] == sorted(path.relative_to(root).as_posix() for path in files)
        for item in result.judged:
            name = (root / item.path).relative_to(CORPUS).as_posix()
            places = {Place(name, finding.line, finding.base) for finding in item.findings}
            compare(labels(root / item.path, name), places, area, found)
    return dict(found)


def compare(expected: Labels, places: set[Place], area: str, found: defaultdict[tuple[str, str], Tally]) -> None:
    """Count what a file's findings say of its labels."""
    covered: set[Place] = set()
    for place, lines in expected.found.items():
        within = {item for item in places if item.rule == place.rule and item.line in lines}
        covered |= within
        tally = found[area, place.rule]
        if within:
            tally.hits += 1
        else:
            tally.missed.append(place)
    for place in expected.fine:
        found[area, place.rule].fine += 1
    for place in sorted((places - covered) | (places & expected.fine)):
        if place in expected.fine or place.rule in expected.judged or place.rule == "GS00":
            found[area, place.rule].false.append(place)


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of tallies."""
    found = Tally()
    for its in tallies:
        found.hits += its.hits
        found.fine += its.fine
        found.false += its.false
        found.missed += its.missed
    return found


def report(tallies: dict[tuple[str, str], Tally]) -> str:
    """Return figures by rule, and every place where the analyser and the labels differ."""
    rules = sorted({rule for _, rule in tallies})
    whole = total(tallies.values())
    lines = [f"{'all':6} {whole}"]
    lines += [f"{rule:6} {total(its for (_, its_rule), its in tallies.items() if its_rule == rule)}" for rule in rules]
    lines += [f"false positive: {place}" for place in sorted(whole.false)]
    lines += [f"false negative: {place}" for place in sorted(whole.missed)]
    return "\n".join(lines)


@pytest.mark.parametrize("part", ["all", "released"])
def test_precision_and_recall(part: str) -> None:
    """Findings are right and complete, on written cases and on code of released packages."""
    tallies = {key: its for key, its in measured().items() if part == "all" or key[0] == part}
    whole = total(tallies.values())
    print(report(tallies))
    assert whole.precision >= ENOUGH, report(tallies)
    assert whole.recall >= ENOUGH, report(tallies)


def test_corpus_has_enough_of_each_rule() -> None:
    """A corpus that shrinks, or leaves a rule out, proves nothing."""
    tallies = measured()
    whole, released = total(tallies.values()), total(its for (area, _), its in tallies.items() if area == "released")
    assert whole.hits + len(whole.missed) + whole.fine >= 200
    assert released.hits + len(released.missed) + released.fine >= 50
    for rule in RULES:
        its = total(its for (_, name), its in tallies.items() if name == rule.id)
        assert its.hits + len(its.missed) >= 3, rule.id
        assert its.fine >= 3, rule.id


def test_labels_name_what_exists() -> None:
    """A label with a slip in it would never be missed: ids are known, and something stands below each label."""
    known = {rule.id for rule in RULES}
    for path in sorted(CORPUS.rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            if re.match(r"\s*# ?(judged|found|fine)\b", line) and (match := _COMMENT.fullmatch(line)) is None:
                pytest.fail(f"{path}:{number}: {line.strip()}")
            elif match := _COMMENT.fullmatch(line):
                assert set(re.split(r",\s*", match[2])) <= known, f"{path}:{number}"
                assert match[1] == "judged" or re.match(r"\s*[^#\s]", lines[number]), f"{path}:{number}"


def test_comparison_sees_both_kinds_of_faults() -> None:
    """The measure is no measure if it can't fail."""
    found: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
    expected = Labels({"GS01"}, {Place("a.py", 2, "GS01"): range(2, 3)}, {Place("a.py", 4, "GS01")})
    compare(expected, {Place("a.py", 4, "GS01"), Place("a.py", 6, "GS01"), Place("a.py", 2, "GS02")}, "x", found)
    its = found["x", "GS01"]
    assert (its.precision, its.recall, its.fine) == (0.0, 0.0, 1)
    assert its.false == [Place("a.py", 4, "GS01"), Place("a.py", 6, "GS01")]
    assert ("x", "GS02") not in found
