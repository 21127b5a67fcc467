"""A new service, added in the places that CONTRIBUTING names and in no other: a copy of the checkout brings it up."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.system.conftest import PROBES
from tests.system.copies import copy_checkout

ROOT = Path(__file__).resolve().parents[2]
#: Files of the toy, below their paths in a checkout.
TOY = Path(__file__).parent / "toy"
#: File that is there already -> what a new service puts before which of its lines, and at its end (None).
ADDED: dict[str, list[tuple[str | None, str]]] = {
    "module_utils/ready/registry.py": [
        ("\n    class Methods:", "    from .services import toy as _toy  # noqa: F401\n"),
        (")\nNAMES = ", '    Service("toy", ("workload",)),\n'),
    ],
    "compatibility.yml": [
        ("\nrows:", '  toy:\n    "1": {eol: null, source: it is a toy}\n'),
        (
            None,
            """\
  - id: toy-1
    service: toy
    from: "1"
    to: "1"
    how: swap
    rollback: swap
    source: it keeps no data
""",
        ),
    ],
}
#: A file of unit tests that goes through every service: by the definitions, the roles' specs or the registry's tables.
GOES_THROUGH_ALL = re.compile(
    r"(parametrize\([^\n]*|\bin |sorted\(|list\(|set\(|\*)(registry\.|sorted\()?"
    r"(load_definitions\(\)|role_specs\(\)|(SECURITY_PROBES|PROBES|WORKLOADS|CONNECTIONS|SERVICES|NAMES)\b)"
)
#: Of those, the ones that take most of the time and ask for something else: how security probes run, wording of next
#: steps, endpoints elsewhere, which hosts a playbook refuses.
LEFT_OUT = frozenset(
    {
        "cli/test_host_groups.py",
        "project/test_advice.py",
        "security/test_verdicts.py",
        "services/test_ai_probe_elsewhere.py",
    }
)


def places() -> list[str]:
    """Return the patterns of paths that CONTRIBUTING names for a service toy, one item per place."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text.partition("**To add a service**")[2].partition("**To add a verb**")[0]
    return [row.replace("<name>", "toy") for row in re.findall(r"^\| [0-9]+ \| (.*?) \|", table, re.MULTILINE)]


def unit_tests(checkout: Path) -> list[str]:
    """Return the unit tests of a checkout that go through every service, but for those that are left out."""
    unit = checkout / "tests" / "unit"
    return [
        str(path)
        for path in sorted(unit.rglob("test_*.py"))
        if path.relative_to(unit).as_posix() not in LEFT_OUT and GOES_THROUGH_ALL.search(path.read_text())
    ]


def files() -> list[str]:
    """Return the toy's files, by their paths in a checkout."""
    return [path.relative_to(TOY).as_posix() for path in TOY.rglob("*") if path.is_file() and path.suffix != ".pyc"]


def test_places() -> None:
    """There are eight at most; every file of the toy is new, and in one of them."""
    assert 0 < len(places()) <= 8
    patterns = [pattern for row in places() for pattern in re.findall(r"`([^`]+)`", row)]
    for file in [*files(), *ADDED]:
        assert any(fnmatch(file, pattern + ("*" if pattern.endswith("/") else "")) for pattern in patterns), file
    assert not [file for file in files() if (ROOT / file).exists()]


def test_what_is_left_out_would_be_run() -> None:
    """A file that was split or renamed is not left out by a name that nothing has any more."""
    for name in LEFT_OUT:
        assert GOES_THROUGH_ALL.search((ROOT / "tests" / "unit" / name).read_text()), name


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the checkout with the toy in it."""
    copy = copy_checkout(tmp_path / "checkout", str(TOY.relative_to(ROOT)))
    shutil.copytree(TOY, copy, dirs_exist_ok=True)
    for name, additions in ADDED.items():
        text = (copy / name).read_text()
        for before, added in additions:
            assert before is None or text.count(before) == 1, before
            text = text + added if before is None else text.replace(before, added + before)
        (copy / name).write_text(text)
    return copy


def test_a_new_service(checkout: Path, tmp_path: Path) -> None:
    """The copy's tests compare it with everything else, and bring it up, check it and destroy it."""
    if PROBES.exists():  # the drivers are taken along: only the package `ready` differs
        shutil.copytree(PROBES, tmp_path / "probes", symlinks=True)
    others = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = others | {"READY_VENV": sys.prefix, "READY_TEST_PROBES": str(tmp_path / "probes")}
    pytest_ = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
    for command in (
        ["tools/docs.py"],
        [*pytest_, *unit_tests(checkout)],
        [*pytest_, "tests/system/test_toy_service.py"],
    ):
        done = subprocess.run(
            [sys.executable, *command], cwd=checkout, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
