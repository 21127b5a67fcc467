"""What a run of `./ready test` takes: the list of what is long, parts, changes, and the catalogue behind them."""

from __future__ import annotations

import pytest

from tools.testing import choice
from tools.testing.__main__ import chosen, options
from tools.testing.catalogue import (
    NEEDS,
    PREPARATIONS,
    SHARED,
    TAKES,
    catalogue,
    files_of,
    matching,
    needs_of,
    scenarios,
)
from tools.testing.pool import Step
from tools.testing.results import RECORDED, Durations

STEPS = catalogue(default_stack=True)
NAMES = {step.name for step in STEPS}


def named(*names: str) -> list[Step]:
    """Return steps that need nothing."""
    return [Step(name, ("true",), "system") for name in names]


def test_every_need_is_in_the_catalogue() -> None:
    """Needs that nobody makes would keep a run waiting; a table's row that no step has is a slip."""
    assert len(NAMES) == len(STEPS)
    for step in STEPS:
        assert step.needs | step.after <= NAMES, step.name
    for pattern, values in (*NEEDS, *TAKES):
        assert any(matching(((pattern, values),), name) for name in NAMES), pattern
    assert set(SHARED) <= set(scenarios())
    assert set(PREPARATIONS) <= NAMES


def test_the_long_list_names_what_there_is_and_no_more_than_two_fifths() -> None:
    """Of the recorded seconds; each entry has its reason."""
    listed = choice.long_list()
    assert {name.partition("::")[0] for name in listed} <= NAMES
    assert all(reason.strip() for reason in listed.values())
    recorded = Durations.read(RECORDED)
    assert recorded.steps, "tests/durations.json: ./ready test --all --record writes it"
    tests = {name for name in listed if "::" in name}
    long = sum(recorded.steps.get(name, 0.0) for name in listed.keys() - tests)
    long += sum(
        seconds
        for test, seconds in recorded.tests.items()
        if choice.is_long(test, dict.fromkeys(tests, "")) and choice.step_of(test.partition("::")[0]) not in listed
    )
    usual = {name: seconds for name, seconds in recorded.steps.items() if name in NAMES}
    assert long <= 0.4 * sum(usual.values()), f"{long:.0f} of {sum(usual.values()):.0f} s are long"
    for name in tests:
        step, _, test = name.partition("::")
        assert any(
            choice.step_of(its.partition("::")[0]) == step and its.partition("::")[2].partition("[")[0] == test
            for its in recorded.tests
        ), f"{name}: no such test was recorded"


@pytest.mark.parametrize(
    ("test", "long"),
    [
        ("tests.system.test_pitr::test_to_the_latest", True),
        ("tests.system.test_pitr::test_to_the_latest[x]", True),
        ("tests.system.test_pitr::test_to_a_time", False),
        ("tests.windows.test_server::test_any", True),
        ("tests.unit.backups.postgresql.test_point_in_time::test_to_the_latest", False),
    ],
)
def test_long_is_a_test_or_a_whole_step(test: str, long: bool) -> None:
    """With its parameters; a unit test of the same name is another one."""
    assert choice.is_long(test, {"system pitr::test_to_the_latest": "why", "windows server": "why"}) is long


def test_parts_are_the_whole_and_about_equal() -> None:
    """Each step is in one part, the same at each call."""
    steps, seconds = named(*"abcdef"), {"a": 100.0, "b": 60.0, "c": 50.0, "d": 20.0, "e": 10.0, "f": 5.0}
    parts = [choice.part(steps, number, 2, seconds) for number in (1, 2)]
    assert sorted(step.name for step in parts[0] + parts[1]) == list("abcdef")
    loads = [sum(seconds[step.name] for step in its) for its in parts]
    assert abs(loads[0] - loads[1]) <= 10, loads
    assert parts[0] == choice.part(list(reversed(steps)), 1, 2, seconds)


@pytest.mark.parametrize(
    ("path", "expected", "not_expected"),
    [
        ("roles/redis/templates/redis.conf.j2", {"molecule redis", "molecule stack"}, {"system pitr"}),
        ("module_utils/ready/services/redis/backup.py", {"system backup_faults", "molecule backup"}, {"windows site"}),
        ("scripts/windows/x.ps1", {"windows site", "molecule wsl2"}, {"system life"}),
        ("tests/system/test_tls.py", {"system tls"}, {"system life"}),
        ("images/redis/Containerfile", {"images contract_redis"}, {"system life"}),
        ("ansible.cfg", {"molecule stack", "system life"}, {"system pitr"}),
        ("tests/unit/test_x.py", set(), {"system life"}),
        ("tests/clients/apps/pg.mjs", {"molecule clients"}, {"system life"}),
        ("services/redis.yml", {"molecule redis", "molecule clients"}, {"system pitr"}),
    ],
)
def test_changed_paths(path: str, expected: set[str], not_expected: set[str]) -> None:
    """A guess, but lint and unit tests are always in it."""
    found = {step.name for step in choice.touched(STEPS, [path])}
    assert {"ruff", "unit"} | expected <= found
    assert not found & not_expected


@pytest.mark.parametrize("scenario", SHARED)
def test_a_shared_stack_is_removed(scenario: str) -> None:
    """Whichever of its scenarios runs, the one that makes it included; by --scenario each removes its own."""
    names = {step.name for step in chosen(options().parse_args(["--step", f"molecule {scenario}"]), {})}
    assert {"molecule stack", "shared stack"} <= names
    names = {step.name for step in chosen(options().parse_args(["--scenario", scenario]), {})}
    assert names == {f"molecule {scenario}"} | needs_of(f"molecule {scenario}", *files_of(scenario))


def test_who_uses_the_image_of_clients_has_it_made() -> None:
    """Its tests say so: no list names them."""
    users = {step.name for step in catalogue() if "image clients" in step.needs}
    assert users == {"molecule ai", "molecule clients", "system tls"}


def test_needs_of_the_chosen_come_along() -> None:
    """And what was changed about a chosen step stays."""
    chosen = [Step("molecule upgrade", ("x",), "molecule", needs=frozenset({"image redis 8"}))]
    found = {step.name: step for step in choice.with_needs(chosen, STEPS)}
    assert found.keys() == {"default stack", "prepare", "image redis 8", "molecule upgrade"}
    assert found["molecule upgrade"].command == ("x",)
