# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The readiness report as rows for a terminal and as a page. Runs on the controller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..common.paths import ROOT
from ..common.units import counted
from ..common.verdict import PASS, UNKNOWN, VERDICTS
from .requirements import NOT_BUILT

TEMPLATES = ROOT / "readiness"
WORDS = {word: word.replace("_", " ") for word in VERDICTS}
SUMMARY_COLUMNS = [
    {"key": "part", "title": "Part"},
    {"key": "verdict", "title": "Verdict"},
    {"key": "points", "title": "Points"},
    {"key": "counts", "title": "Requirements"},
]
COLUMNS = [
    {"key": "id", "title": "Requirement"},
    {"key": "title", "title": "What"},
    {"key": "objective", "title": "Expected"},
    {"key": "verdict", "title": "Verdict"},
    {"key": "found", "title": "Found, or why not"},
]


def number(value: float) -> str:
    """Return a figure without needless zeros."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def points(score: Mapping[str, float]) -> str:
    """Return "13 of 100", with what can be attained where that is less."""
    if not score["total"]:
        return "-"
    text = f"{number(score['earned'])} of {number(score['total'])}"
    return text if score["attainable"] == score["total"] else f"{text} ({number(score['attainable'])} attainable)"


def counts(counted: Mapping[str, int]) -> str:
    """Return "2 pass, 3 insufficient data"."""
    return ", ".join(f"{count} {WORDS[verdict]}" for verdict, count in counted.items())


def found(row: Mapping[str, Any]) -> str:
    """Return what was found, in a line; why not, where nothing was."""
    if row["waiver"]:
        return f"waived until {row['waiver']['until']}: {row['waiver']['reason']}"
    if row["verdict"] != PASS:
        return "; ".join(filter(None, [row["reason"], f"next: {row['next']}" if row["next"] else ""]))
    texts = [
        ", ".join(
            f"{figure['what']} {number(figure['found']) if isinstance(figure['found'], float) else figure['found']}"
            for figure in showing["figures"]
        )
        for showing in row["hosts"]
    ]
    hosts = [showing["host"] for showing in row["hosts"]]
    return (
        texts[0] if len(texts) == 1 else "; ".join(f"{host}: {text}" for host, text in zip(hosts, texts, strict=True))
    )


def backends(row: Mapping[str, Any]) -> list[str]:
    """Return what serves the services of a requirement, each answer once: "local model"."""
    return list(dict.fromkeys(filter(None, (showing["backend"] for showing in row["hosts"]))))


def summary_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row per section and gate."""
    rows = [
        {
            "part": item["title"],
            "verdict": item["verdict"],
            "points": points(item["score"]),
            "counts": counts(item["counts"]),
        }
        for item in results["sections"]
        if item["judged"] and item["score"]["total"]
    ]
    rows += [
        {"part": item["title"], "verdict": item["verdict"], "points": "", "counts": counts(item["counts"])}
        for item in results["gates"]
    ]
    return rows


def detail_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row per requirement."""
    return [
        {
            **{key: row[key] for key in ("id", "title", "objective", "verdict")},
            "found": "; ".join(filter(None, [found(row), *backends(row)])),
        }
        for row in results["requirements"]
    ]


def next_steps(results: Mapping[str, Any]) -> list[str]:
    """Return what would bring missing data, most useful first; what is not built yet in one line."""
    missing = Counter(row["next"] for row in results["requirements"] if row["verdict"] == UNKNOWN)
    later = {step: count for step, count in missing.most_common() if step.endswith(NOT_BUILT)}
    steps = [
        f"{step} (for {counted(count, 'requirement')})" for step, count in missing.most_common() if step not in later
    ]
    if later:
        names = ", ".join(step.removesuffix(NOT_BUILT) for step in later)
        steps.append(f"{counted(sum(later.values()), 'requirement')} waiting for what is not built yet: {names}")
    return steps


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"backends": backends, "points": points, "counts": counts, "number": number}
    return environment


def page(document: Mapping[str, Any], sha256: str) -> str:
    """Return the report as a self-contained HTML page; `document` is the evidence `readiness`, `sha256` its file's."""
    results = document["results"]
    files = {
        showing["evidence"]["path"]: showing["evidence"]
        for row in results["requirements"]
        for showing in row["hosts"]
        if showing["evidence"]
    }
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            document=document,
            results=results,
            rows={row["id"]: row for row in results["requirements"]},
            files=[files[path] for path in sorted(files)],
            steps=next_steps(results),
            words=WORDS,
            sha256=sha256,
        )
    )


def fleet_page(document: Mapping[str, Any], sha256: str, lines: Sequence[str], links: Mapping[str, str]) -> str:
    """Return the summary of a fleet as a self-contained HTML page.

    Args:
        document: the evidence `fleet`.
        sha256: its file's.
        lines: what failed and what to do.
        links: machine -> where the report of its stack is, for those that have one.
    """
    return (
        _environment()
        .get_template("fleet.html.j2")
        .render(document=document, results=document["results"], lines=lines, links=links, words=WORDS, sha256=sha256)
    )
