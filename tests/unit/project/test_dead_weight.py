"""Whatever there is has a reader: keys of definitions, filters, modules, entry points of roles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ready.stack.definitions import load_definitions, override_names, resolve_stack

from tests.unit.project.test_modules import MODULES, load

ROOT = Path(__file__).resolve().parents[3]
PLAYS = ("roles", "playbooks", "site.yml")
CODE = ("module_utils", "library", "action_plugins", "filter_plugins", "callback_plugins", "tools")
SCHEMA: dict[str, Any] = json.loads((ROOT / "schemas/service.schema.json").read_text())
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())


@cache
def texts(tops: tuple[str, ...], endings: tuple[str, ...]) -> dict[Path, str]:
    """Return path -> text of the repository's files."""
    files = [item for top in tops for item in ([ROOT / top] if (ROOT / top).is_file() else (ROOT / top).rglob("*"))]
    return {path: path.read_text() for path in files if path.suffix in endings}


@cache
def sources() -> list[tuple[str, str]]:
    """Return (file, text) of what may read a key. A definition reads with {{ }}; what it says is no reader."""
    return [
        (place.name, part)
        for place, text in texts((*CODE, "roles", "services"), (".py", ".j2", ".yml")).items()
        for part in ([text] if place.suffix != ".yml" else re.findall(r"\{\{.*?\}\}", text, re.DOTALL))
    ]


def keys(node: Mapping[str, Any], parents: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each key of a definition that the schema knows."""
    for name, item in node.get("properties", {}).items():
        yield (*parents, name)
        target = SCHEMA["$defs"][item["$ref"].rpartition("/")[2]] if "$ref" in item else item
        yield from keys(target, (*parents, name))
        yield from keys(target.get("items", {}) if isinstance(target.get("items"), dict) else {}, (*parents, name))


#: Path of a key -> the file that reads it and how, where that does not name the key beside what it is in.
READERS: dict[tuple[str, ...], tuple[str, str]] = {
    **{
        ("accounts", account, "rights"): ("tools/docs.py", 'its["rights"]')
        for account in ("admin", "app", "monitor", "backup", "throttle", "server")
    },
    **{
        (*path, *more): ("module_utils/ready/stack/gateway_files.py", how)
        for path, how in (
            (("accounts", "throttle"), "name == THROTTLE"),
            (("accounts", "server"), "passwords[SERVER]"),
            (("gateway", "connections"), 'its["connections"]'),
            (("gateway", "at_once"), 'its.get("at_once")'),
        )
        for more in ([(), ("login",)] if path[0] == "accounts" else [()])
    },
    ("files", "template"): ("module_utils/ready/stack/render.py", 'item["template"]'),
    ("image", "data_format", "build"): ("module_utils/ready/images/sources.py", 'formats["build"]'),
    ("image", "data_format", "registry"): ("module_utils/ready/images/sources.py", 'formats.get("registry"'),
    ("objectives", "latency_p95_ms"): ("module_utils/ready/latency/runner.py", '["objectives"][operation.objective]'),
}


def readers(path: tuple[str, ...]) -> list[str]:
    """Return the files that read a key, in code, in a template, or in a definition's own expressions.

    One in another is named beside it: service["limits"]["memory"], limits.memory, or port["name"] of each of `ports`.
    """
    *parents, key = path
    if path in READERS:
        place, how = READERS[path]
        return [place] if how in (ROOT / place).read_text() else []
    if parents:
        within, takes = (
            parents[-1],
            (r"""\[["']{0}["']\]""", r"""\.(?:get|pop)\(["']{0}["'][^()]*\)""", r"""\.{0}\b(?!\()"""),
        )
        outer, inner = ("|".join(take.format(name) for take in takes) for name in (within, key))
        pattern = rf"""(?:{outer}|\b{within}|\b{within.removesuffix("s")})(?:{inner})"""
    else:
        pattern = rf"""["']{key}["']|\.{key}\b|\b{key} in\b"""
    return [name for name, part in sources() if key in part and re.search(pattern, part)]


@pytest.mark.parametrize("path", sorted(set(keys(SCHEMA))), ids=".".join)
def test_every_definition_key_has_a_reader(path: tuple[str, ...]) -> None:
    """Else whoever changes it is misled."""
    assert readers(path), f"{'.'.join(path)}: nothing reads it"


@pytest.mark.parametrize("path", [("backup", "needs_stop"), ("backup", "kind"), ("tls", "at"), ("database", "sort")])
def test_words_that_are_common_are_no_readers(path: tuple[str, ...]) -> None:
    """Both words of each are in the code, of something else."""
    assert readers(path) == []


def test_readers_are_of_keys_that_there_are() -> None:
    """One of a key that is gone is dead weight itself."""
    assert set(READERS) <= set(keys(SCHEMA))


@pytest.mark.parametrize("plugin", sorted(path.stem for path in (ROOT / "filter_plugins").glob("*.py")))
def test_every_filter_is_used(plugin: str) -> None:
    """In a role or a playbook; a test is no user."""
    used = "\n".join(texts(PLAYS, (".yml", ".j2")).values())
    filters = load(ROOT / "filter_plugins" / f"{plugin}.py").FilterModule().filters()
    assert [name for name in filters if not re.search(rf"\b{name}\b", used)] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_used(module: str) -> None:
    """By a task, or by an action plugin of another name."""
    tasks = "\n".join(texts(PLAYS, (".yml",)).values())
    actions = [text for path, text in texts(("action_plugins",), (".py",)).items() if path.stem != module]
    calls = rf"""_execute_module\(\s*(?:module_name=)?["']{module}["']"""
    assert re.search(rf"^\s+(?:- )?{module}:", tasks, re.MULTILINE) or any(re.search(calls, text) for text in actions)


def inclusions() -> Iterator[tuple[str, str]]:
    """Yield (role, tasks file) for whatever a play or a task includes, templated parts as `*`."""
    for path, text in texts((*PLAYS, "molecule", ".config"), (".yml",)).items():
        own = path.relative_to(ROOT).parts[1] if path.is_relative_to(ROOT / "roles") else ""
        for block in re.findall(r"(?:include|import)_role:\n((?:\s+(?:name|tasks_from|public): .*\n)+)", text):
            its = yaml.safe_load("{" + ", ".join(line.strip() for line in block.splitlines()) + "}")
            yield its["name"], its.get("tasks_from", "main")
        for file in re.findall(r"(?:include|import)_tasks:\s+(?:file: )?\"?([^\"\n]+?\.yml)", text):
            yield own, re.sub(r"\{\{.*?\}\}", "*", file).removesuffix(".yml").rpartition("/")[2]
        if path.parts[-2:] == ("meta", "main.yml"):
            for needed in (yaml.safe_load(text) or {}).get("dependencies", []):
                yield needed if isinstance(needed, str) else needed["role"], "main"


@pytest.mark.parametrize("role", ROLES)
def test_every_entry_point_is_used(role: str) -> None:
    """Each file of tasks is included from somewhere."""
    used = {tasks for name, tasks in inclusions() if name in {role, "{{"}}
    patterns = [re.compile(tasks.replace("*", ".*") + r"\Z") for tasks in used if tasks]
    files = [path.stem for path in (ROOT / "roles" / role / "tasks").glob("*.yml")]
    assert [name for name in files if not any(pattern.match(name) for pattern in patterns)] == []


@pytest.mark.parametrize("path", sorted(texts(PLAYS, (".yml",))), ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_sets_another_roles_own_variable(path: Path) -> None:
    """`_role_x` is a role's own; an entry point takes public ones, which its spec checks."""
    own = path.relative_to(ROOT).parts[1] if path.is_relative_to(ROOT / "roles") else ""
    others = "|".join(role for role in ROLES if role != own)
    longer = rf"(?!_{own}_)" if own else ""
    assert re.findall(rf"^\s+(?:- )?{longer}(_{{1,2}}(?:{others})_\w+):", path.read_text(), re.MULTILINE) == []


def test_every_override_is_of_something_that_a_service_has() -> None:
    """What the inventory may override exists; the address is that of every port."""
    definitions = load_definitions()
    variables = {"stack_name": "ready", "ready_services": list(definitions), "ready_bind_address": "127.0.0.1"}
    for name, service in resolve_stack(definitions, variables)["services"].items():
        for variable, path in override_names(definitions[name]).items():
            node: Any = service
            for step in ("ports", "bind") if path == ("bind",) else path:
                known = {port["name"]: port for port in node} if isinstance(node, list) else node
                assert step in known or (step == "bind" and all(step in port for port in node)), f"{variable}: {step}"
                node = known.get(step)
