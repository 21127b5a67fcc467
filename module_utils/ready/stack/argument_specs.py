# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read which variables exist, from the argument specs of roles and verbs. Runs on the controller."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..common.paths import ROOT

#: Facts that roles hand to each other, and inventory variables that belong to no role.
FACTS = frozenset(
    {
        "ready_stack",
        "ready_state",
        "ready_docker",
        "ready_images",
        "ready_images_foreseen",
        "ready_images_lock",
        "ready_key_ends",
        "ready_waivers",
        "ready_hosts",
        "ready_left_out",
        "ready_windows",
    }
)


def _load(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8") as stream:
        loaded = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # a safe loader
    return dict(loaded["argument_specs"])


@cache
def role_specs(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Return role -> entry point -> argument spec."""
    return {path.parts[-3]: _load(path) for path in sorted(root.glob("roles/*/meta/argument_specs.yml"))}


@cache
def verb_specs(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Return verb -> argument spec; `verbs` says how a user spells it."""
    verbs = {
        path.name.removesuffix(".meta.yml"): _load(path)[path.name.removesuffix(".meta.yml")]
        for path in sorted(root.glob("playbooks/*.meta.yml"))
    }
    form = {"pattern", "expected"}
    shared = _load(root / "roles" / "stack" / "meta" / "argument_specs.yml")["main"]["options"]
    for spec in verbs.values():
        for name, option in spec.get("options", {}).items():
            option |= {key: value for key, value in shared.get(name, {}).items() if key in form}
    return verbs


@cache
def known_variables() -> frozenset[str]:
    """Return every variable that some role or verb reads."""
    points = [point for role in role_specs().values() for point in role.values()]
    points += list(verb_specs().values())
    return FACTS | {name for point in points for name in point.get("options", {})}


@cache
def variable_prefixes() -> frozenset[str]:
    """Return the prefixes under which every variable must be known."""
    return frozenset({"ready", *role_specs()})
