"""Verbs that read: no task of theirs, nor of a role that they include, writes on a host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.project.test_task_options import module_of, tasks_of

ROOT = Path(__file__).resolve().parents[3]
#: Modules that change nothing on a host, whatever their options are; evidence and reports lie on the controller.
READ = {
    "stack_state", "stack_details", "windows_state", "stack_versions", "check_results", "stack_status", "backup_sets",
    "evidence", "scheduled_evidence", "readiness_report", "fleet_report", "fleet_away", "show", "ansible.builtin.debug",
    "windows_preflight_checks", "wsl2_plan", "docker_desktop_plan", "windows_network_plan", "windows_report",
    "ansible.builtin.fail", "ansible.builtin.set_fact", "ansible.builtin.meta",
}  # fmt: skip
#: Those that change nothing with these options.
ONLY: dict[str, tuple[str, set[str | None]]] = {
    "stack_secrets": ("action", {"env", "show"}),
    "stack_definition": ("secrets", {None, "read", "ignore"}),
}
INCLUDE = {f"ansible.builtin.{how}_{what}" for how in ("include", "import") for what in ("role", "tasks")}
VERBS = ["status", "logs", "env", "report", "fleet", "versions", "diagnose", "backup_list", "secrets_show"]


def reached(path: Path, seen: set[Path] | None = None) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the tasks of a file, and of what it includes, each file once."""
    seen = {path} if seen is None else seen
    for task in tasks_of(yaml.safe_load(path.read_text())):
        (module,) = module_of(task)
        if module not in INCLUDE:
            yield path, task
            continue
        for following in included(path, task, module):
            if following not in seen:
                seen.add(following)
                yield from reached(following, seen)


def included(path: Path, task: Mapping[str, Any], module: str) -> list[Path]:
    """Return the files that a task includes."""
    options = task[module]
    if module.endswith("_tasks"):
        return [path.parent / (options if isinstance(options, str) else options["file"])]
    names = task["loop"] if options["name"] == "{{ item }}" else [options["name"]]
    return [ROOT / "roles" / name / "tasks" / f"{options.get('tasks_from', 'main')}.yml" for name in names]


def writes(task: Mapping[str, Any]) -> bool:
    """Return whether a task may change something on a host."""
    (module,) = module_of(task)
    if module in ONLY:
        option, allowed = ONLY[module]
        return (task[module] or {}).get(option) not in allowed
    return module not in READ and task.get("delegate_to") != "localhost"


@pytest.mark.parametrize("verb", VERBS)
def test_reading_verbs_read(verb: str) -> None:
    """Neither themselves nor by a role."""
    tasks = list(reached(ROOT / "playbooks" / f"{verb}.yml"))
    assert len(tasks) > 1
    assert [f"{path.relative_to(ROOT)}: {task.get('name')}" for path, task in tasks if writes(task)] == []


def test_check_installs_the_drivers_alone() -> None:
    """It asks by real drivers, so a host without them, or with those of another version, gets them."""
    tasks = reached(ROOT / "playbooks" / "check.yml")
    writing = {(path.parts[-3], *module_of(task)) for path, task in tasks if writes(task)}
    assert {role for role, module in writing if module not in {"stack_check", "service_watch"}} == {"probes"}
