# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..engine import Result
from ..judge import UNREAD
from ..model import Finding, Rule
from .code import code_of, path_in, repository

_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
#: Severity as GitHub ranks security findings: 0.0 to 10.0.
_RANKS = {"critical": "9.5", "high": "7.5", "medium": "5.0", "low": "2.0"}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.rationale},
        "help": {"text": f"{rule.title}. {rule.rationale} Source: {rule.source}."},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"severity": rule.severity, "security-severity": _RANKS[rule.severity]},
    }


def _unread() -> dict[str, Any]:
    text = "Every file can be read as Python"
    return {
        "id": UNREAD,
        "name": UNREAD,
        "shortDescription": {"text": text},
        "fullDescription": {"text": f"{text}: what can't be read can't be judged, and is never skipped."},
        "help": {"text": f"{text}."},
        "defaultConfiguration": {"level": "error"},
        "properties": {"severity": "critical", "security-severity": _RANKS["critical"]},
    }


def _fingerprints(findings: Sequence[Finding], uri: str, path: Path) -> list[str]:
    """Return one for each finding of a file, by its code: it stays the same when lines above it come and go.

    Equal lines are distinguished by their order.
    """
    seen: Counter[str] = Counter()
    found = []
    for item in findings:
        code = f"{item.rule}\0{uri}\0{code_of(path, item.line)}"
        digest = hashlib.sha256(code.encode(errors="surrogatepass")).hexdigest()
        seen[digest] += 1
        found.append(f"{digest}:{seen[digest]}")
    return found


def _result(
    finding: Finding, number: dict[str, int], levels: dict[str, str], uri: str, print_: str, allowed: str | None
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": finding.base,
        "ruleIndex": number[finding.base],
        "level": levels.get(finding.base, "error"),
        "message": {"text": finding.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(os.fsencode(uri)), "uriBaseId": "PROJECT"},
                    "region": {
                        "startLine": finding.line,
                        "startColumn": finding.column,
                        "endLine": finding.end_line,
                        "endColumn": max(finding.end_column, 1),
                    },
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": print_},
        "properties": {"kind": finding.rule},
    }
    if allowed is not None:
        found["suppressions"] = [{"kind": "inSource", "justification": allowed}]
    return found


def sarif(result: Result) -> str:
    """Return the log, as JSON. What a comment allows is in it, marked as suppressed."""
    rules = [_unread(), *map(_rule, result.rules)]
    number = {rule["id"]: place for place, rule in enumerate(rules)}
    levels = {rule.id: _LEVELS[rule.severity] for rule in result.rules}
    base = repository(result.root)
    found = []
    for judged in result.judged:
        uri = path_in(base, result.root, judged.path)
        every = [(item, None) for item in judged.findings] + [(item, reason) for item, reason in judged.allowed]
        prints = _fingerprints([item for item, _ in every], uri, result.root / judged.path)
        found += [
            _result(item, number, levels, uri, print_, reason)
            for (item, reason), print_ in zip(every, prints, strict=True)
        ]
    log = {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "Ready gold standards", "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": found,
            }
        ],
    }
    return json.dumps(log, indent=2)
