# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `check` found, as rows for people, next steps and the results of the evidence `health`. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .container import summary
from .plan import images_in_use
from .status import drift, health_results, kept_lines

#: Figures that a row has room for.
_SHOWN = 3


def _figures(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in list(figures.items())[:_SHOWN])


def check_stack(stack: Mapping[str, Any], state: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was found.

    Args:
        stack: the resolved stack.
        state: what `stack_state` read.
        asked: service -> {verdict, seconds, checks}, as `service_health` returns it; empty when nothing was asked.

    Returns:
        {verdict: of everything, health: of the services alone, results: of the evidence, rows, next: [str]}
    """
    results = health_results(stack, state, images_in_use(stack, state, {}), {})
    rows: list[dict[str, Any]] = []
    steps: list[str] = []
    sick, drifted = False, bool(state["others"])
    for name, service in stack["services"].items():
        found, answer = state["services"][name], asked.get(name, {})
        its_state = results["services"][name]["state"]
        results["services"][name] |= {"checks": answer.get("checks", {})}
        well = its_state == "healthy"
        # Docker's own health comes after a whole interval; a container that has just started and answers is well.
        if its_state == "starting" and answer.get("verdict") == "pass":
            well, results["services"][name]["state"] = True, "healthy"
        rows.append({"service": name, "check": "container", "verdict": "pass" if well else "fail", "detail": its_state})
        for check, outcome in answer.get("checks", {}).items():
            rows.append(
                {
                    "service": name,
                    "check": check,
                    "verdict": outcome["verdict"],
                    "took": f"{outcome['seconds'] * 1000:.0f} ms",
                    "detail": outcome["detail"] or _figures(outcome["figures"]),
                }
            )
            well = well and outcome["verdict"] == "pass"
        differing = summary(drift(stack, name, found))
        results["services"][name]["drift"] = differing
        rows.append(
            {
                "service": name,
                "check": "drift",
                "verdict": "fail" if differing else "pass",
                "detail": "; ".join(differing) or "none",
            }
        )
        if not well:
            sick = True
            steps.append(f"Next: ./ready logs --service {name}; ./ready up starts it again if it is down.")
        if differing:
            drifted = True
            steps.append(f"Next: ./ready up puts {service['container']} back as the inventory has it; its data stay.")
    steps += kept_lines(state, stack["name"])
    return {
        "verdict": "fail" if sick or drifted else "pass",
        "health": "fail" if sick else "pass",
        "results": results,
        "rows": rows,
        "next": steps,
    }
