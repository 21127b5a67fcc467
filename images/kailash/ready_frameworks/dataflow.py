# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DataFlow: every node that it generates for the catalogue's models is executed, its effect seen by another connection.

Each step begins with rows that the witness puts, so that a node that fails does not make others fail.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import Any

from ready_frameworks import capabilities
from ready_frameworks.context import FAIL, MORE_TIME, PASS, UNKNOWN, Context, finding, part
from ready_frameworks.kinds import (
    ADR_NODES,
    Shape,
    Step,
    difference,
    kinds_of,
    node_name,
    percent,
    percentile,
    shape_of,
    steps_of,
    surplus,
)
from ready_frameworks.stage import RESERVE, AwayError, RefusedError, Stage, WrongError, service_text

#: Model and kind -> what was wrong ("": nothing). A node that is not in it was not executed.
Outcome = dict[tuple[str, str], str]
_NEXT = "Next: compare images/kailash/requirements.txt with kailash-dataflow's release notes"


def run(context: Context) -> dict[str, Any]:
    """Execute the generated nodes and the capabilities of every model."""
    from catalogue import models

    version = metadata.version("kailash-dataflow")
    kinds, shapes = kinds_of(version), [shape_of(model) for model in models.MODELS]
    with quiet():
        started = time.monotonic()
        try:
            stage = Stage(context)
        except AwayError as error:
            return nothing(shapes, kinds, version, service_text(error.service, context.clean(error)), error.service)
        except Exception as error:  # whatever DataFlow fails with is the finding
            text = f"found DataFlow failing on the models: {context.clean(error)}; expected tables. {_NEXT}"
            return nothing(shapes, kinds, version, text)
        try:
            setup = round((time.monotonic() - started) * 1000)
            return _all(context, stage, shapes, kinds, version) | {"setup_ms": setup}
        finally:
            stage.close()


def _all(context: Context, stage: Stage, shapes: Sequence[Shape], kinds: Sequence[str], version: str) -> dict[str, Any]:
    generated = set(stage.generated())
    more = surplus(generated, [shape.name for shape in shapes], kinds)
    outcome: Outcome = {}
    times: list[float] = []
    away: AwayError | None = None
    offers: dict[str, Any] | None = None
    try:
        for shape in shapes:
            if context.left > RESERVE:
                exercise(context, stage, shape, kinds, generated, outcome)
        times = list(stage.times)
        offers = capabilities.run_all(context, stage, shapes)
        for shape in shapes:
            stage.put(shape, [])
    except AwayError as error:
        away, times = error, times or list(stage.times)
    gone = service_text(away.service, context.clean(away)) if away else ""
    findings = judge(shapes, kinds, outcome, version, more, gone)
    offers = offers or capabilities.summary(shapes, {}, {}, away)
    for item in findings:
        if away and item["verdict"] != PASS:
            item["service"] = away.service
    good = sum(not text for text in outcome.values())
    expected = len(shapes) * len(kinds)
    figures = {
        "nodes": sum(node_name(shape.name, kind) in generated for shape in shapes for kind in kinds),
        "executed": good,
        "failed": expected - good,
        "executed_percent": percent(good, expected),
        "p50_ms": percentile(times, 0.5),
        "p95_ms": percentile(times, 0.95),
        "max_ms": percentile(times, 1.0),
    }
    whole = part([*findings, *offers.pop("findings")], **frame(shapes, kinds, version), **figures, capabilities=offers)
    return whole | ({"detail": gone} if away else {})


def frame(shapes: Sequence[Shape], kinds: Sequence[str], version: str) -> dict[str, Any]:
    """Return the figures that do not depend on what happens."""
    expected = len(shapes) * len(kinds)
    return {
        "version": version,
        "models": len(shapes),
        "kinds": list(kinds),
        "expected": expected,
        "adr_nodes": ADR_NODES,
    }


def nothing(
    shapes: Sequence[Shape], kinds: Sequence[str], version: str, text: str, service: str = ""
) -> dict[str, Any]:
    """Return the result of a run that could not begin."""
    shown = frame(shapes, kinds, version)
    figures = {"nodes": 0, "executed": 0, "failed": shown["expected"], "executed_percent": 0.0}
    figures |= dict.fromkeys(("p50_ms", "p95_ms", "max_ms"))
    offers = capabilities.summary(shapes, {}, {}, None)
    offers.pop("findings")
    found = finding("dataflow", FAIL, text, **({"service": service} if service else {}))
    return part([found], **shown, **figures, capabilities=offers)


def exercise(
    context: Context, stage: Stage, shape: Shape, kinds: Sequence[str], generated: set[str], outcome: Outcome
) -> None:
    """Execute the nodes of one model, and keep what was found."""
    steps = steps_of(shape, stage.word)
    for kind in kinds:
        name, said = node_name(shape.name, kind), "not generated"
        if name in generated:
            tried = (try_step(stage, shape, step) for step in steps if step.kind == kind)
            said = context.clean(next((text for text in tried if text), ""))
        outcome[shape.name, kind] = said


def try_step(stage: Stage, shape: Shape, step: Step) -> str:
    """Execute one step and return what is wrong with it, "" if nothing is."""
    stage.put(shape, step.before)
    others = stage.rows(shape, mine=False)
    try:
        answers = stage.execute([("node", node_name(shape.name, step.kind), step.inputs)])
    except (RefusedError, WrongError) as error:
        return str(error)
    if text := step.wrong(answers["node"]) or difference(stage.rows(shape), step.after):
        return text
    return "rows changed that are not of this run" if stage.rows(shape, mine=False) != others else ""


def judge(
    shapes: Sequence[Shape],
    kinds: Sequence[str],
    outcome: Outcome,
    version: str,
    more: Sequence[str] = (),
    away: str = "",
) -> list[dict[str, Any]]:
    """Return a finding per kind of node, and one on the kinds themselves."""
    found = []
    if not kinds:
        text = f"found kailash-dataflow {version}; expected a release whose kinds of nodes are known. {_NEXT}"
        found.append(finding("dataflow", FAIL, text))
    elif more:
        text = f"found nodes of further kinds: {', '.join(more[:5])}; expected {len(kinds)} kinds per model. {_NEXT}"
        found.append(finding("dataflow", FAIL, text))
    for kind in kinds:
        said = {shape.name: outcome.get((shape.name, kind)) for shape in shapes}
        good = sum(text == "" for text in said.values())
        bad = [f"{name}: {text}" for name, text in said.items() if text]
        verdict = PASS if good == len(shapes) else FAIL if bad or away else UNKNOWN
        text = ""
        if bad:
            text = f"found {good} of {len(shapes)} {kind} nodes doing their work ({bad[0]}); expected all. {_NEXT}"
        elif verdict == FAIL:
            text = away
        elif verdict == UNKNOWN:
            text = f"found {good} of {len(shapes)} {kind} nodes executed in time; expected all. {MORE_TIME}"
        found.append(finding(f"node.{kind}", verdict, text, passed=good, of=len(shapes)))
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the frameworks from logging: their records may hold settings, and what failed is a finding."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.disable(before)


def _develop() -> int:
    """Run this part alone: `python -m ready_frameworks.dataflow`, with settings in the environment."""
    import json
    import os
    import secrets
    import sys

    context = Context(dict(os.environ), "dev_dataflow", f"w{secrets.token_hex(3)}", time.monotonic() + 120)
    started = time.monotonic()
    result = run(context)
    shown = {key: value for key, value in result.items() if key != "findings"} | {
        "s": round(time.monotonic() - started, 1)
    }
    bad = [item for item in result["findings"] if item["verdict"] != PASS]
    sys.stdout.write(json.dumps(shown | {"not passed": bad}, indent=1) + "\n")
    sys.stdout.flush()
    os._exit(result["verdict"] != PASS)  # a thread that hangs does not keep the process


if __name__ == "__main__":
    _develop()
