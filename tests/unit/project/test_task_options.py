"""Every task names a module that exists and options that it has: ansible-lint does not notice a wrong one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.playbook.block import Block
from ansible.playbook.handler import Handler
from ansible.playbook.task import Task

ROOT = Path(__file__).resolve().parents[3]
KEYWORDS = {*Task.fattributes, *Block.fattributes, *Handler.fattributes, "local_action"}
#: Modules that take any key.
OPEN = {"ansible.builtin.set_fact", "ansible.builtin.add_host"}
Options = Mapping[str, Mapping[str, Any]]


def task_files() -> list[Path]:
    """Return every file with tasks or plays."""
    patterns = (
        "roles/*/tasks/**/*.yml",
        "roles/*/handlers/*.yml",
        "playbooks/**/*.yml",
        "molecule/**/*.yml",
        ".config/molecule/*.yml",
    )
    files = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    return [path for path in files if path.name != "molecule.yml" and not path.name.endswith(".meta.yml")]


def tasks_of(entries: Any) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a file's content, out of plays and blocks."""
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        inner = [
            key for key in ("pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue", "always") if key in entry
        ]
        for key in inner:
            yield from tasks_of(entry[key])
        if not inner and "hosts" not in entry and "ansible.builtin.import_playbook" not in entry:
            yield entry


def module_of(task: Mapping[str, Any]) -> list[str]:
    """Return the keys of a task that name a module: one, when it is good."""
    return [key for key in task if key not in KEYWORDS and not key.startswith("with_")]


@cache
def tasks() -> list[tuple[str, dict[str, Any]]]:
    """Return (where, task) for the whole project."""
    return [
        (f"{path.relative_to(ROOT)}: {task.get('name', '(no name)')}", task)
        for path in task_files()
        for task in tasks_of(yaml.safe_load(path.read_text()))
    ]


@cache
def documentation() -> dict[str, Options]:
    """Return module -> options, for all modules that tasks name; ansible-doc resolves shared fragments."""
    names = sorted({name for _, task in tasks() for name in module_of(task)})
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    command = [str(Path(sys.executable).parent / "ansible-doc"), "--json", "--type", "module", *names]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return {
        name: entry["doc"].get("options") or {} for name, entry in json.loads(done.stdout).items() if "doc" in entry
    }


def templated(value: Any) -> bool:
    """Return whether a value is made at run time."""
    return isinstance(value, str) and "{{" in value


def value_faults(given: Mapping[str, Any], options: Options, where: str = "") -> list[str]:
    """Return unknown, missing and impossible options, also of dictionaries inside."""
    known = {alias: name for name, option in options.items() for alias in (name, *option.get("aliases", []))}
    messages = [f"unknown option {where}{key}" for key in given if key not in known]
    used = {known[key]: value for key, value in given.items() if key in known}
    messages += [
        f"option {where}{name} is required"
        for name, option in options.items()
        if option.get("required") and name not in used
    ]
    for name, value in used.items():
        option = options[name]
        choices = option.get("choices")
        if choices and isinstance(value, str) and not templated(value) and value not in map(str, choices):
            messages.append(f"option {where}{name}: {value!r} is none of {', '.join(map(str, choices))}")
        if option.get("suboptions"):
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, Mapping):
                    messages += value_faults(item, option["suboptions"], f"{where}{name}.")
    return messages


def task_faults(task: Mapping[str, Any], docs: Mapping[str, Options]) -> list[str]:
    """Return what is wrong with how a task calls its module."""
    names = module_of(task)
    if len(names) != 1:
        return [f"expected one module, found {', '.join(names) or 'none'}"]
    name, given = names[0], task[names[0]]
    if name not in docs:
        return [f"unknown module {name}"]
    if name in OPEN or not isinstance(given, (Mapping, type(None))):
        return []  # free-form, or a dictionary made at run time
    given = {**(given or {}), **(task.get("args") or {})}
    options = docs[name]
    if "free_form" in options or "_raw_params" in options:
        options = {key: {**option, "required": False} for key, option in options.items()}
    return value_faults(given, options)


def test_tasks_call_their_modules_right() -> None:
    """The whole project, in one message."""
    assert len(tasks()) > 20, "the search for tasks finds nothing"
    found = [f"{where}: {message}" for where, task in tasks() for message in task_faults(task, documentation())]
    assert found == []


DOCS: dict[str, Options] = {
    "m": {
        "size": {"required": True, "aliases": ["bytes"]},
        "state": {"choices": ["present", "absent"]},
        "rows": {"suboptions": {"key": {"required": True}}},
    }
}


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"m": {"size": 1, "sizee": 1}}, "unknown option sizee"),
        ({"m": {"state": "present"}}, "option size is required"),
        ({"m": None}, "option size is required"),
        ({"m": {"size": 1, "state": "gone"}}, "'gone' is none of present, absent"),
        ({"m": {"size": 1, "rows": [{"keyy": 1, "key": 1}]}}, "unknown option rows.keyy"),
        ({"m": {"size": 1, "rows": {}}}, "option rows.key is required"),
        ({"n": {}}, "unknown module n"),
        ({"m": {"size": 1}, "n": {}}, "expected one module, found m, n"),
        ({"name": "x", "when": True}, "expected one module, found none"),
        ({"m": {"size": 1}, "args": {"chdirr": "/"}}, "unknown option chdirr"),
    ],
)
def test_wrong_call_is_seen(task: dict[str, Any], message: str) -> None:
    """Each kind of fault goes red."""
    assert any(message in text for text in task_faults(task, DOCS))


@pytest.mark.parametrize(
    "task",
    [
        {
            "name": "x",
            "m": {"bytes": 1, "state": "{{ x }}", "rows": [{"key": 1}]},
            "when": True,
            "loop": [],
            "register": "x",
        },
        {"m": "{{ everything }}"},
        {"m": {"size": 1, "rows": "{{ rows }}"}},
    ],
)
def test_right_call_is_seen(task: dict[str, Any]) -> None:
    """What is made at run time is not guessed."""
    assert task_faults(task, DOCS) == []


def test_tasks_are_found_in_plays_and_blocks() -> None:
    """However deep."""
    content = [
        {
            "hosts": "all",
            "tasks": [{"block": [{"a": 1}], "rescue": [{"b": 1}], "always": [{"block": [{"c": 1}]}]}],
            "handlers": [{"d": 1}],
        }
    ]
    assert list(tasks_of(content)) == [{"a": 1}, {"b": 1}, {"c": 1}, {"d": 1}]
