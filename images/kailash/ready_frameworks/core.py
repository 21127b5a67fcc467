# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The core SDK: a workflow built and executed, its value compared, and a node that fails seen as failing."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from ready_frameworks.context import FAIL, PASS, Context, finding, part

PACKAGES = ("kailash", "kailash-dataflow", "kailash-nexus", "kailash-mcp", "mcp")


def run(context: Context) -> dict[str, Any]:
    """Return the part."""
    drawn = random.Random(context.seed)  # noqa: S311 - figures to add, no secret
    numbers = [drawn.randrange(1000) for _ in range(20)]
    began = time.monotonic()
    found = [_value(context, numbers)]
    took = time.monotonic() - began
    found.append(_failure(context))
    return part(found, versions={name: version(name) for name in PACKAGES}, ms=round(1000 * took, 1))


def failure(results: Mapping[str, Any], node: str) -> str:
    """Return what a node's result says of its failing, "" when it says nothing: some come back as data."""
    found = results.get(node)
    if not isinstance(found, Mapping):
        return ""
    if not (found.get("failed") or found.get("error") or found.get("_exception")):
        return ""
    return str(found.get("error") or found.get("_exception") or "it failed")


def _execute(workflow: Any, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    from kailash.runtime.local import LocalRuntime

    with LocalRuntime() as runtime:
        results, _ = runtime.execute(workflow.build(), parameters=dict(parameters or {}))
    return dict(results)


def _value(context: Context, numbers: list[int]) -> dict[str, Any]:
    """Run two nodes, of which the second one works on what the first one made of this run's numbers."""
    from kailash.workflow.builder import WorkflowBuilder

    workflow = WorkflowBuilder()
    workflow.add_node("PythonCodeNode", "squares", {"code": "result = [n * n for n in numbers]"})
    workflow.add_node("PythonCodeNode", "total", {"code": "result = sum(squares)"})
    workflow.add_connection("squares", "result", "total", "squares")
    try:
        results = _execute(workflow, {"squares": {"numbers": numbers}})
    except Exception as error:  # the SDK's errors share no base class
        return finding("workflow", FAIL, context.clean(f"workflow: found {type(error).__name__}: {error}"))
    expected = sum(number * number for number in numbers)
    if said := failure(results, "squares") or failure(results, "total"):
        return finding("workflow", FAIL, context.clean(f"workflow: found a failed node: {said}; expected {expected}"))
    value = (results.get("total") or {}).get("result")
    if value != expected:
        return finding("workflow", FAIL, context.clean(f"workflow: found {value!r}; expected {expected}"))
    return finding("workflow", PASS, nodes=2)


def _failure(context: Context) -> dict[str, Any]:
    """Run a node that raises this run's word: an exception or a result must say so."""
    from kailash.workflow.builder import WorkflowBuilder

    workflow = WorkflowBuilder()
    workflow.add_node("PythonCodeNode", "fails", {"code": f"result = 1\nraise ValueError({context.word!r})"})
    try:
        said = failure(_execute(workflow), "fails")
        how = "result"
    except Exception as error:  # which one is the SDK's choice; that it names the reason is what counts
        said, how = str(error), "exception"
    if context.word not in said:
        found = f"found {said!r}" if said else "found no sign of it"
        return finding("failing_node", FAIL, context.clean(f"a node that fails: {found}; expected its reason"))
    return finding("failing_node", PASS, seen_as=how)
