# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ADR's nine capabilities, executed on every model: a table of what did the work, and a finding for each.

DataFlow generates none of them under these names; its generated nodes do one alone, the others with further released
nodes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ready_frameworks.compositions import CAPABILITIES
from ready_frameworks.context import FAIL, MORE_TIME, PASS, UNKNOWN, Context, finding
from ready_frameworks.kinds import Shape
from ready_frameworks.stage import RESERVE, AwayError, RefusedError, Stage, WrongError, service_text

#: Capability -> model -> what was wrong ("": nothing). A model that is not in it was not tried.
Outcome = Mapping[str, Mapping[str, str]]
_NEXT = "Next: compare images/kailash/requirements.txt with the frameworks' release notes"


def run_all(context: Context, stage: Stage, shapes: Sequence[Shape]) -> dict[str, Any]:
    """Execute every capability on every model.

    Raises:
        AwayError: PostgreSQL does not answer, which every capability needs.
    """
    outcome: dict[str, dict[str, str]] = {name: {} for name in CAPABILITIES}
    nodes: dict[str, list[str]] = {}
    away: dict[str, AwayError] = {}
    with tempfile.TemporaryDirectory(prefix=f"{context.prefix}-") as folder:
        for name in CAPABILITIES:
            stage.used = []
            for shape in shapes:
                if context.left <= RESERVE or name in away:
                    break
                try:
                    outcome[name][shape.name] = context.clean(_try(stage, name, shape, Path(folder)))
                except AwayError as error:
                    if error.service == "postgresql":
                        raise
                    away[name] = AwayError(error.service, context.clean(error))
                nodes[name] = generic(stage.used, [its.name for its in shapes])
    return summary(shapes, outcome, nodes, away)


def _try(stage: Stage, name: str, shape: Shape, folder: Path) -> str:
    """Return what is wrong with a capability of a model, "" if nothing is."""
    try:
        CAPABILITIES[name](stage, shape, folder)
    except (RefusedError, WrongError) as error:
        return str(error)
    except AwayError:
        raise
    except Exception as error:  # an answer or a file of another form than is known
        return f"{type(error).__name__}: {error}"
    return ""


def generic(used: Sequence[str], models: Sequence[str]) -> list[str]:
    """Return types of nodes, those of a model by the name that holds for each."""
    found = []
    for name in used:
        owner = max((model for model in models if name.startswith(model)), key=len, default="")
        found.append(f"{{Model}}{name[len(owner) :]}" if owner else name)
    return sorted(set(found))


def how(nodes: Sequence[str]) -> str:
    """Return whether generated nodes alone do the work."""
    if not nodes:
        return ""
    return "native" if all(name.startswith("{Model}") for name in nodes) else "composed"


def summary(
    shapes: Sequence[Shape],
    outcome: Outcome,
    nodes: Mapping[str, Sequence[str]],
    away: Mapping[str, AwayError] | AwayError | None = None,
) -> dict[str, Any]:
    """Return the figures, the table and the findings.

    Args:
        shapes: the models.
        outcome: what was found.
        nodes: the types of nodes that took part, by capability.
        away: services that did not answer, by capability; one for all of them.
    """
    table, findings, passed = [], [], 0
    for name in CAPABILITIES:
        gone = away.get(name) if isinstance(away, Mapping) else away
        said = outcome.get(name, {})
        good, used = sum(not text for text in said.values()), list(nodes.get(name, []))
        passed += good
        table.append({"capability": name, "nodes": used, "how": how(used), "passed": good, "of": len(shapes)})
        findings.append(_finding(name, said, len(shapes), good, gone))
    return {"expected": len(shapes) * len(CAPABILITIES), "passed": passed, "table": table, "findings": findings}


def _finding(name: str, said: Mapping[str, str], of: int, good: int, gone: AwayError | None) -> dict[str, Any]:
    """Return the finding on a capability."""
    bad = [f"{model}: {text}" for model, text in said.items() if text]
    figures: dict[str, Any] = {"passed": good, "of": of}
    if good == of:
        return finding(f"capability.{name}", PASS, **figures)
    if bad:
        text = f"found {name} working on {good} of {of} models ({bad[0]}); expected all. {_NEXT}"
        return finding(f"capability.{name}", FAIL, text, **figures)
    if gone:
        text = service_text(gone.service, str(gone))
        return finding(f"capability.{name}", FAIL, text, **figures, service=gone.service)
    text = f"found {name} tried on {good} of {of} models when time was up; expected all. {MORE_TIME}"
    return finding(f"capability.{name}", UNKNOWN, text, **figures)
