"""What is loaded when something starts: drivers are imported by what speaks to their service, and by nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from ready.lazily import Lazily

ROOT = Path(__file__).resolve().parents[2]
#: What takes a tenth of a second of CPU or more.
DRIVERS = {"chromadb", "neo4j", "numpy", "psycopg", "redis"}
SDK = {"docker", "requests"}
HEAVY = DRIVERS | SDK | {"cryptography.x509", "httpx", "jsonschema", "openai", "rich"}
#: Takes steps one after another, and prints what of HEAVY each of them was the first one to load.
_STEPS = """
import json, sys
sys.path[:0], heavy, steps = json.loads(sys.argv[1])
import ready
sys.modules["ansible.module_utils.ready"] = ready  # as Ansible names this package for modules
found, before = {}, set()
for name, code in steps.items():
    exec(code)
    now = set(heavy) & set(sys.modules)
    found[name] = sorted(now - before)
    before = now
print(json.dumps({name: new for name, new in found.items() if new}))
"""


def first_loaded(steps: Mapping[str, str]) -> dict[str, set[str]]:
    """Return step -> what of HEAVY it was the first one to load; without those that loaded nothing."""
    given = [[str(ROOT / "module_utils"), str(ROOT)], sorted(HEAVY), steps]
    command = [sys.executable, "-c", _STEPS, json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return {name: set(new) for name, new in found.items()}


def imports(*modules: str) -> dict[str, str]:
    """Return the steps that import modules."""
    return {module: f"import {module}" for module in modules}


def test_entry_points_load_neither_drivers_nor_the_sdk() -> None:
    """Not before they know what is to be done."""
    modules = ("backups.timer", "backups.run", "backups.settings", "backups.telling", "backups.stores", "probing")
    more = ("probe", "connector", "engine", "usage", "waiting", "images", "measuring", "ways", "attacks", "workloads")
    assert first_loaded(imports(*(f"ready.{name}" for name in ("cli", *modules, *more)))) == {}


def test_runs_load_no_driver() -> None:
    """What speaks to Docker anyhow loads its SDK alone."""
    modules = ("backups.backup", "backups.drill", "backups.restore", "backups.wal", "backups.before", "checkup")
    found = first_loaded(imports(*(f"ready.{name}" for name in modules)))
    assert set().union(*found.values()) <= SDK, found


def test_modules_load_no_driver() -> None:
    """A module is a separate process, so each task pays for what it imports; few need the SDK in any case."""
    needs_sdk = {"image_build", "network_latency", "service_backup", "service_latency", "stack_check", "stack_security"}
    modules = sorted(path.stem for path in (ROOT / "library").glob("*.py"))
    first = [name for name in modules if name not in needs_sdk]
    assert first_loaded(imports(*(f"library.{name}" for name in first))) == {}
    found = first_loaded(imports(*(f"library.{name}" for name in sorted(needs_sdk))))
    assert set().union(*found.values()) <= SDK, found


def test_plugins_of_every_run_load_nothing_more_than_ansible() -> None:
    """Each ansible-playbook loads them all, whatever it is to do."""
    kinds = ("filter_plugins", "callback_plugins", "inventory_plugins")
    plugins = [f"{kind}.{path.stem}" for kind in kinds for path in sorted(ROOT.glob(f"{kind}/*.py"))]
    assert len(plugins) > 5
    found = first_loaded({"ansible": "import ansible.cli.playbook", **imports(*plugins)})
    assert {name: new for name, new in found.items() if name != "ansible"} == {}


@pytest.mark.parametrize(
    ("name", "drivers"),
    [
        ("postgresql", {"psycopg"}),
        ("neo4j", {"neo4j", "numpy"}),  # which it takes along where it is there
        ("chromadb", {"chromadb", "numpy"}),
        ("redis", {"redis"}),
        ("gateway", set()),
    ],
)
def test_a_service_loads_its_own_driver(name: str, drivers: set[str]) -> None:
    """What asks, attacks, measures, dumps and loads one service loads the drivers of no other."""
    code = f"""
from ready.attacks import ATTACKS
from ready.backups.stores import DUMPS, LOADS
from ready.probing import PROBES
from ready.workloads import WORKLOADS
for table in (PROBES, ATTACKS, WORKLOADS, DUMPS, LOADS):
    table.get({name!r})
"""
    assert first_loaded({name: code}).get(name, set()) & DRIVERS <= drivers


def test_table_that_loads_lazily() -> None:
    """It is a mapping; looking at its names loads nothing."""
    asked: list[str] = []

    def load(name: str) -> str:
        asked.append(name)
        return name.upper()

    table = Lazily(("b", "a"), load)
    assert list(table) == ["b", "a"]
    assert len(table) == 2
    assert "a" in table
    assert "c" not in table
    assert asked == []
    assert table["a"] == "A"
    assert table.get("c") is None
    with pytest.raises(KeyError):
        table["c"]
    assert asked == ["a"]
