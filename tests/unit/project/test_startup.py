"""What is loaded when something starts: drivers are imported by what speaks to their service, and by nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from ready.common.lazy_table import Lazily

ROOT = Path(__file__).resolve().parents[3]
#: What takes a tenth of a second of CPU or more.
DRIVERS = {"chromadb", "neo4j", "numpy", "openai", "psycopg", "redis"}
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

#: Imports a module, and prints what of Ready is loaded then.
_OURS = """
import importlib, json, sys
sys.path[:0], name = json.loads(sys.argv[1])
import ready
sys.modules["ansible.module_utils.ready"] = ready
importlib.import_module(name)
parts = (each.removeprefix("ansible.module_utils.") for each in sys.modules)
print(json.dumps(sorted({each for each in parts if each.partition(".")[0] == "ready"})))
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
    backups = ("backups.timer", "backups.run", "backups.settings", "backups.results", "backups.data_services")
    more = (
        "checks.make_probes",
        "probe",
        "connector",
        "docker.state",
        "docker.usage",
        "docker.wait",
        "images.sources",
        "latency.runner",
    )
    tables = ("latency.paths", "security.probes", "latency.workloads")
    assert first_loaded(imports(*(f"ready.{name}" for name in ("cli.launcher", *backups, *more, *tables)))) == {}


def test_runs_load_no_driver() -> None:
    """What speaks to Docker anyhow loads its SDK alone."""
    modules = (
        "backups.backup",
        "backups.drill",
        "backups.restore.run",
        "backups.postgresql.wal",
        "backups.partial_set",
        "checks.runner",
    )
    found = first_loaded(imports(*(f"ready.{name}" for name in modules)))
    assert set().union(*found.values()) <= SDK, found


def test_modules_load_no_driver() -> None:
    """A module is a separate process, so each task pays for what it imports; few need the SDK in any case."""
    needs_sdk = {"image_build", "service_backup", "service_latency", "stack_check"}
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
        ("ai", set()),  # openai takes half a second, which the cheap round does without
    ],
)
def test_a_service_loads_its_own_driver(name: str, drivers: set[str]) -> None:
    """What asks, probes, measures, dumps and loads one service loads the drivers of no other."""
    code = f"""
from ready.security.probes import SECURITY_PROBES
from ready.backups.data_services import DUMPS, LOADS
from ready.checks.probes import PROBES
from ready.latency.workloads import WORKLOADS
for table in (PROBES, SECURITY_PROBES, WORKLOADS, DUMPS, LOADS):
    table.get({name!r})
"""
    assert first_loaded({name: code}).get(name, set()) & DRIVERS <= drivers


#: What an `up` that changes nothing starts -> how many modules of Ready it may load. Hosts compile theirs in each
#: run. A module that every run needs is worth a higher number; any other is imported where it is used.
MOST = {"cli.launcher": 19, "library.host_facts": 12, "library.stack_state": 28}


@pytest.mark.parametrize("entry", MOST)
def test_what_each_run_starts_loads_few_modules(entry: str) -> None:
    """A module in a wrong place, such as a constant in one that only the controller needs, takes others along."""
    name = entry if entry.startswith("library.") else f"ready.{entry}"
    done = subprocess.run(
        [sys.executable, "-c", _OURS, json.dumps([[str(ROOT / "module_utils"), str(ROOT)], name])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    assert loaded
    assert len(loaded) <= MOST[entry], "\n".join(loaded)


def test_the_launcher_knows_no_service() -> None:
    """Only verbs that write settings ask for what each service's are called."""
    code = "import ready.cli.launcher; import sys; print([name for name in sys.modules if '.connections' in name])"
    environ = {"PYTHONPATH": str(ROOT / "module_utils")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("action", ["evidence", "health_evidence", "readiness_report"])
def test_evidence_is_validated_by_what_was_loaded_before_the_fork(action: str) -> None:
    """Ansible's parent loads an action, and its workers run it: what they import each time is imported three times."""
    found = first_loaded({"ansible": "import ansible.cli.playbook", **imports(f"action_plugins.{action}")})
    assert "jsonschema" in found[f"action_plugins.{action}"]


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
