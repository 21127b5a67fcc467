# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What there is to run, and on what it stands: linters, unit tests, preparations, images, scenarios, hosts, stacks."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tools.ports import free_ports, port_variables
from tools.testing.pool import Step
from tools.testing.results import LOGS

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
STAGES = ("lint", "unit", "images", "molecule", "windows", "system")
#: What tests/stack.py and .config/molecule/up.yml read.
PORTS = tuple(variable for variable, _ in port_variables().values())
#: Scenario -> its sequence on the stack that these share in a run of several; the first one makes that stack.
SHARED = {
    "stack": "[cleanup, check, converge, verify, idempotence, verify]",
    "check": "[converge, verify]",
    "container_service": "[verify, side_effect, verify]",
    **dict.fromkeys(("chromadb", "clients", "gateway", "neo4j", "postgresql", "redis"), "[verify]"),
}
#: Preparation -> the arguments of tests/prepare.py. Only what a chosen step needs is made.
PREPARATIONS = {
    "packages": ("packages",),
    "debian": ("debian",),
    "image redis 8": ("image", "redis", "8"),
    "image postgresql 17": ("image", "postgresql", "17"),
    "image neo4j 5.26": ("image", "neo4j", "5.26"),
    "image chromadb 1.0.21": ("image", "chromadb", "1.0.21"),
    "image clients": ("clients",),
    "image kailash": ("image", "kailash"),
}
#: Pattern of a step -> the preparations that it needs, beside Docker and the usual images.
NEEDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"system (backup|restore|pitr|quiesced|restic|sftp|upgrade|images).*", ("packages",)),
    (r"molecule (backup|container_images)", ("packages",)),
    (r"system upgrade|molecule upgrade", ("image redis 8",)),
    (r"system upgrade_data", ("image postgresql 17", "image neo4j 5.26")),
    (r"system upgrade_chromadb", ("image chromadb 1.0.21",)),
    (r"windows .*|molecule (docker_engine|wsl_psrp)", ("debian",)),
    (r"molecule (frameworks|test_app)|images contract_kailash|system testapp", ("image kailash",)),
    (r"image postgresql 17", ("image redis 8",)),  # the same Debian release: its base is made once
)
#: What a test imports to use the image of real clients -> the preparation that makes it.
CLIENTS = ("from tests.clients.running import", "image clients")
#: Pattern of a step -> what it may not share with others.
TAKES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"system (backup|restore|check|life|security|tls|probe|measuring|latency|upgrade_data)", ("whole stack",)),
    (r"windows site|molecule (stack|frameworks)", ("whole stack",)),
    (r"molecule (" + "|".join(list(SHARED)[1:]) + ")", ("shared stack",)),
)
#: Where `python -m tests.…` finds the package `ready`.
PYTHONPATH = (("PYTHONPATH", str(ROOT / "module_utils")),)
#: What measures runs when nothing else does.
ALONE = frozenset({"system latency"})


def matching(table: tuple[tuple[str, tuple[str, ...]], ...], name: str) -> frozenset[str]:
    """Return everything that a table says of a step."""
    return frozenset(value for pattern, values in table if re.fullmatch(pattern, name) for value in values)


def needs_of(name: str, *tests: Path) -> frozenset[str]:
    """Return the preparations that a step needs: those that are named, and the image of clients where a test asks."""
    asks, made = CLIENTS
    uses = any(asks in path.read_text(encoding="utf-8") for path in tests)
    return frozenset({"prepare", *matching(NEEDS, name), *((made,) if uses else ())})


def files_of(scenario: str) -> list[Path]:
    """Return the files of a scenario's tests."""
    return sorted((ROOT / "molecule" / scenario / "tests").glob("*.py"))


def lint() -> list[Step]:
    """Return the linters; ansible-lint takes minutes. `.pre-commit-config.yaml` runs the same ones."""
    commands = {
        "yamllint": ("yamllint", "--strict", "."),
        "ruff": ("ruff", "check", "."),
        "ruff format": ("ruff", "format", "--check", "."),
        "mypy": ("mypy",),
        "ansible-lint": (sys.executable, "-m", "tools.testing.lint"),
        "imports": (sys.executable, "-m", "tools.layers"),
        "reference tables": (sys.executable, "-m", "tools.docs", "--check"),
    }
    return [
        Step(name, (str(BIN / program), *words), "lint", turn=0) for name, (program, *words) in commands.items()
    ]  # fmt: skip


def pytest(name: str, path: str, stage: str, **more: object) -> Step:
    """Return a step of tests."""
    report = LOGS / f"{name.replace(' ', '-')}.xml"
    command = (str(BIN / "pytest"), "-q", "-p", "no:cacheprovider", path, f"--junitxml={report}")
    return Step(name, command, stage, junit=report, **more)  # type: ignore[arg-type]


def preparations(default_stack: bool) -> list[Step]:
    """Return what the other steps stand on; with `default_stack` that one is brought up first, and looked at last."""
    python = sys.executable
    first = Step("default stack", (python, "-m", "tests.default_stack", "up"), "prepare", turn=1,
                 environment=PYTHONPATH)  # fmt: skip
    needs = frozenset({first.name} if default_stack else ())
    usual = Step("prepare", (str(BIN / "ansible-playbook"), "tests/prepare.yml"), "prepare", needs, turn=2)
    others = [
        Step(name, (python, "-m", "tests.prepare", *words), "prepare",
             frozenset({"prepare"}) | matching(NEEDS, name), turn=3, environment=PYTHONPATH)
        for name, words in PREPARATIONS.items()
    ]  # fmt: skip
    return [*([first] if default_stack else []), usual, *others]


def scenarios() -> list[str]:
    """Return the Molecule scenarios."""
    return sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml"))


def scenario(name: str) -> Step:
    """Return the step of one scenario by itself."""
    full = f"molecule {name}"
    needs = needs_of(full, *files_of(name))
    return Step(full, molecule("test", name), "molecule", needs, takes=matching(TAKES, full), environment=ports())


def molecule(action: str, name: str) -> tuple[str, ...]:
    """Return a command of Molecule's."""
    return (str(BIN / "molecule"), action, "-s", name)


def ports() -> tuple[tuple[str, str], ...]:
    """Return free ports in the variables that name them."""
    return tuple((key, str(port)) for key, port in zip(PORTS, free_ports(len(PORTS)), strict=True))


def shared_scenarios() -> list[Step]:
    """Return the scenarios that share a stack: the first makes it, the last step removes it."""
    environment = (*ports(), ("READY_TEST_SHARED", str(LOGS / "shared")))
    first, *others = SHARED
    made = frozenset({f"molecule {first}"})
    steps = [
        Step(f"molecule {first}", molecule("test", first), "molecule", frozenset({"prepare"}),
             takes=matching(TAKES, f"molecule {first}"),
             environment=(*environment, ("READY_TEST_SEQUENCE", SHARED[first])))
    ]  # fmt: skip
    for name in others:
        its = (*environment, ("READY_TEST_SEQUENCE", SHARED[name]))
        taken = matching(TAKES, f"molecule {name}")
        needs = made | needs_of(f"molecule {name}", *files_of(name)) - {"prepare"}
        steps.append(Step(f"molecule {name}", molecule("test", name), "molecule", needs, takes=taken, environment=its))
    after = frozenset(step.name for step in steps)
    removal = Step("shared stack", molecule("cleanup", first), "molecule", after=after, environment=environment)
    return [*steps, removal]


def catalogue(default_stack: bool = False, shared: bool = True) -> list[Step]:
    """Return every step there is."""
    steps = [*lint(), pytest("unit", "tests/unit", "unit", turn=0), *preparations(default_stack)]
    steps += shared_scenarios() if shared else []
    steps += [scenario(name) for name in scenarios() if not shared or name not in SHARED]
    for stage in ("images", "windows", "system"):
        for path in sorted(ROOT.glob(f"tests/{stage}/test_*.py")):
            name = f"{stage} {path.stem.removeprefix('test_')}"
            steps.append(
                pytest(name, str(path.relative_to(ROOT)), stage, needs=needs_of(name, path),
                       takes=matching(TAKES, name), alone=name in ALONE)
            )  # fmt: skip
    if default_stack:
        command = (sys.executable, "-m", "tests.default_stack", "untouched")
        others = frozenset(step.name for step in steps) - {"default stack"}
        steps.append(
            Step("default stack untouched", command, "prepare", frozenset({"default stack"}), others, alone=True,
                 environment=PYTHONPATH)
        )  # fmt: skip
    return steps
