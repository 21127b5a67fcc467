"""A role's argument spec, its defaults, its page and its scenario agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ready.stack.argument_specs import FACTS, role_specs, verb_specs
from ready.stack.definitions import load_definitions, override_names
from ready.stack.former_names import FORMER_NAMES

ROOT = Path(__file__).resolve().parents[3]
ROLES = role_specs()
TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "path": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}


def defaults_of(role: str) -> dict[str, Any]:
    """Return defaults/main.yml of a role, {} where there is none; what reads a former name is what it falls back to."""
    path = ROOT / "roles" / role / "defaults" / "main.yml"
    if not path.exists():
        return {}
    text = path.read_text()
    for former, name in FORMER_NAMES.items():
        text = re.sub(rf'^{name}: "{{{{ {former} \| default\((.*)\) }}}}"$', rf"{name}: \1", text, flags=re.MULTILINE)
    return yaml.safe_load(text) or {}


def option_faults(options: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Yield what is wrong with options in themselves."""
    for name, option in options.items():
        label = f"{where}{name}"
        if not str(option.get("description", "")).strip():
            yield f"{label}: no description"
        kind = option.get("type")
        if kind not in TYPES:
            yield f"{label}: type {kind!r}, expected one of {', '.join(TYPES)}"
            continue
        if kind == "list" and "elements" not in option:
            yield f"{label}: a list without elements"
        if "default" in option:
            default = option["default"]
            if option.get("required"):
                yield f"{label}: required and with a default"
            templated = isinstance(default, str) and "{{" in default
            if not templated and (
                not isinstance(default, TYPES[kind]) or (isinstance(default, bool) and kind != "bool")
            ):
                yield f"{label}: default {default!r} is no {kind}"
            chosen = default if kind == "list" else [default]
            if option.get("choices") and not templated and not set(chosen) <= set(option["choices"]):
                yield f"{label}: default {default!r} is none of its choices"
        yield from option_faults(option.get("options", {}), f"{label}.")


#: Variables without a value where the inventory names none: what is meant then says the code, by the spec.
ABSENCE_COUNTS = {"ready_services"}


def spec_faults(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """Return where a spec and defaults disagree in name, type or value."""
    messages = list(option_faults(options))
    messages += [f"{name}: in defaults, not in the spec" for name in defaults if name not in options]
    for name, option in options.items():
        if ("default" in option and name not in ABSENCE_COUNTS) != (name in defaults):
            messages.append(f"{name}: has a default in {'the spec' if 'default' in option else 'defaults'} alone")
        elif name in defaults and (
            option["default"] != defaults[name] or type(option["default"]) is not type(defaults[name])
        ):
            messages.append(f"{name}: {option['default']!r} in the spec, {defaults[name]!r} in defaults")
    return messages


@pytest.mark.parametrize("role", ROLES)
def test_spec_and_defaults_agree(role: str) -> None:
    """Names, types and values; every option is described."""
    options = {name: option for point in ROLES[role].values() for name, option in point.get("options", {}).items()}
    assert spec_faults(options, defaults_of(role)) == []


@pytest.mark.parametrize("role", ROLES)
def test_role_is_complete(role: str) -> None:
    """It says what it is, and has a page and a scenario."""
    for name, point in ROLES[role].items():
        assert point["short_description"], name
        assert point["description"], name
    tasks = [] if role in load_definitions() else [f"roles/{role}/tasks/main.yml"]  # container_service brings it up
    for path in (
        *tasks,
        f"roles/{role}/meta/main.yml",
        f"docs/roles/{role}.md",
        f"molecule/{role}/molecule.yml",
    ):
        assert (ROOT / path).is_file(), path


def test_every_role_has_a_spec() -> None:
    """No role escapes the tests above."""
    assert {path.name for path in (ROOT / "roles").iterdir() if path.is_dir()} == set(ROLES)


@pytest.mark.parametrize("name", load_definitions())
def test_service_role_knows_all_variables(name: str) -> None:
    """Its spec has exactly the variables that override the definition."""
    assert set(ROLES[name]["main"]["options"]) == set(override_names(load_definitions()[name]))


@pytest.mark.parametrize("verb", verb_specs())
def test_verb_says_what_it_does(verb: str) -> None:
    """Every verb and option is described, and its playbook checks the options."""
    spec = verb_specs()[verb]
    assert spec["short_description"]
    assert spec["description"]
    assert list(option_faults(spec.get("options", {}))) == []
    plays = yaml.safe_load((ROOT / "playbooks" / f"{verb}.yml").read_text())
    assert any(play.get("validate_argspec") == verb for play in plays)


GOOD = {"type": "int", "default": 1, "description": "x"}


@pytest.mark.parametrize(
    ("option", "default", "message"),
    [
        ({**GOOD, "default": 2}, 1, "a: 2 in the spec, 1 in defaults"),
        ({**GOOD, "default": True}, True, "a: default True is no int"),
        ({**GOOD, "default": "1"}, "1", "a: default '1' is no int"),
        ({**GOOD, "default": 1, "type": "float"}, 1.0, "a: 1 in the spec, 1.0 in defaults"),
        ({**GOOD, "description": " "}, 1, "a: no description"),
        ({**GOOD, "type": "number"}, 1, "a: type 'number'"),
        ({**GOOD, "required": True}, 1, "a: required and with a default"),
        ({**GOOD, "choices": [2, 3]}, 1, "a: default 1 is none of its choices"),
        ({"type": "list", "default": [], "description": "x"}, [], "a: a list without elements"),
        (
            {"type": "list", "elements": "int", "default": [1], "choices": [2], "description": "x"},
            [1],
            "a: default [1] is none of its choices",
        ),
        ({"type": "int", "description": "x"}, 1, "a: has a default in defaults alone"),
        (GOOD, ..., "a: has a default in the spec alone"),
        (None, 1, "a: in defaults, not in the spec"),
        (
            {"type": "dict", "default": {}, "description": "x", "options": {"b": {"type": "str"}}},
            {},
            "a.b: no description",
        ),
    ],
)
def test_disagreement_is_seen(option: dict[str, Any] | None, default: Any, message: str) -> None:
    """Each kind of contradiction goes red."""
    found = spec_faults({"a": option} if option else {}, {} if default is ... else {"a": default})
    assert any(message in text for text in found), found


def test_agreement_is_seen() -> None:
    """A good spec has no fault."""
    templated = {"type": "path", "default": "{{ x }}", "description": "x"}
    assert spec_faults({"a": GOOD, "b": templated}, {"a": 1, "b": "{{ x }}"}) == []


def test_every_fact_of_ours_is_known() -> None:
    """Else a verb that resolves the stack again, as `up` does, takes it for a slip of the inventory."""
    text = "\n".join(path.read_text() for top in ("roles", "playbooks") for path in (ROOT / top).rglob("*.yml"))
    facts = set(re.findall(r"set_fact:\n(?: +_\w+: .*\n)* +(ready_\w+):", text))
    assert "ready_images" in facts
    assert facts <= FACTS


#: What is asked of one run: an option sets it, and an inventory that does is not meant.
ONE_RUN = frozenset(
    {
        "backup_key_file",
        "backup_only",
        "backup_set",
        "backup_skip_broken",
        "backup_to",
        "check_accept_baseline",
        "check_only",
        "container_service_names",
        "frameworks_only",
        "gold_standards_fix",
        "gold_standards_format",
        "gold_standards_output",
        "gold_standards_path",
        "gold_standards_rules",
        "upgrade_back",
        "upgrade_lose_databases",
        "upgrade_services",
        "upgrade_without_backup",
    }
    | {"backup_level"}  # without it the module takes the host's settings, which are made from the inventory
)


def included_roles(tasks: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the roles that tasks include, also in blocks, each with what it is given."""
    for task in tasks if isinstance(tasks, list) else []:
        for name in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks"):
            yield from included_roles(task.get(name))
        if "ansible.builtin.include_role" in task:
            yield task["ansible.builtin.include_role"]["name"], task.get("vars", {})


def test_no_verb_hides_what_the_inventory_says() -> None:
    """A playbook that gives a role an option, or else a constant, hides the role's own variable from the inventory."""
    hidden = set()
    for path in sorted((ROOT / "playbooks").rglob("*.yml")):
        for role, given in included_roles(yaml.safe_load(path.read_text())):
            hidden |= {
                name
                for name, value in given.items()
                if name in ROLES.get(role, {}).get("main", {}).get("options", {})
                and re.match(r"\{\{ (not )?\(?ready_\w+ \| default\(", str(value))
            }
    assert hidden <= ONE_RUN
    assert hidden >= {"check_only", "upgrade_back"}, "the search finds them no more"
