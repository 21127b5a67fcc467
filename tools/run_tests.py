# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`./ready test`: everything that proves Ready, in order, ending with a line that counts.

lint (yamllint, ruff, mypy, ansible-lint) → unit tests → Docker and images, once → image contract → Molecule
scenarios, simulated Windows hosts, the whole stack and its faults: two of these run side by side, those that measure
alone at the end. ansible-lint, which keeps one core busy for minutes, goes on beside the stages from unit tests to the
image contract. A stage that fails does not keep the next from running, except that nothing runs without Docker.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from tools.ports import free_ports

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "test"
BIN = Path(sys.executable).parent
#: What .config/molecule/up.yml and tests/stack.py read.
PORTS = tuple(f"READY_PORT_{name}" for name in ("POSTGRESQL", "BOLT", "HTTP", "CHROMADB", "REDIS", "GATEWAY"))
STAGES = ("lint", "unit", "images", "molecule", "windows", "system")
#: What takes longest starts first, so that nothing long is left to run beside nothing.
FIRST = (
    "system upgrade", "system backup", "system pitr", "system life", "system security", "windows misfits",
    "windows roles", "system faults", "molecule stack", "molecule docker_engine",
)  # fmt: skip
#: What may not run beside each other: one puts a broken image in place of the one that the other uses.
APART = ("system upgrade", "molecule upgrade")
#: What measures, or looks at the whole host, runs alone, after the others.
ALONE = ("leftovers", "check", "latency")
#: Seconds after which a step counts as hung.
LIMIT = 1800
#: How Ansible says that a task failed.
TASK_FAILED = re.compile(r"\bfatal: \[|^\W*\[ERROR\]: ")
_print_lock = Lock()


@dataclass
class Outcome:
    """One step: how many of its checks passed and failed."""

    name: str
    passed: int
    failed: int
    seconds: float


def say(text: str) -> None:
    """Print a line at once, whole."""
    with _print_lock:
        print(text, flush=True)


def excerpt(lines: Sequence[str], end: int = 80, around: int = 12) -> list[str]:
    """Return the end of a log, and before it the places where a task failed: a clean-up that follows is longer."""
    before = len(lines) - end
    wanted = sorted(
        {
            near
            for at, line in enumerate(lines[: max(0, before)])
            if TASK_FAILED.search(line)
            for near in range(max(0, at - around), min(before, at + 2 * around))
        }
    )
    return [lines[at] for at in wanted] + list(lines[-end:])


def run(
    name: str,
    command: Sequence[str],
    count: Callable[[int], tuple[int, int]] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run one step with its output in a log; print how it went, and the log's end when it failed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name.replace('/', '-').replace(' ', '-')}.log"
    say(f"  {name} …")
    started = time.monotonic()
    with log.open("wb") as stream:
        try:
            code = subprocess.run(  # noqa: S603
                command,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=LIMIT,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = 124
    seconds = time.monotonic() - started
    passed, failed = count(code) if count else (int(code == 0), int(code != 0))
    say(f"  {name}: {passed} passed, {failed} failed in {seconds:.0f} s")
    if failed:
        shown = "\n".join(excerpt(log.read_text(errors="replace").splitlines()))
        say(f"----- {log.relative_to(ROOT)} (what failed, and its end) -----\n{shown}\n-----")
    return Outcome(name, passed, failed, seconds)


def pytest(name: str, folder: str, *options: str) -> Outcome:
    """Run a folder or file of tests and count them by their JUnit report; no report, or no test in it, is a failure."""
    report = LOGS / f"{name.replace(' ', '-')}.xml"
    LOGS.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)

    def count(code: int) -> tuple[int, int]:
        try:
            suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314  # our own file
        except (FileNotFoundError, ET.ParseError):
            return 0, 1
        total, bad, skipped = (
            sum(int(suite.get(key, 0)) for suite in suites for key in keys.split())
            for keys in ("tests", "failures errors", "skipped")
        )
        if total == 0 or (code != 0 and bad == 0):
            bad += 1
        return max(0, total - bad - skipped), bad

    return run(name, [str(BIN / "pytest"), "-q", folder, f"--junitxml={report}", *options], count)


def lint() -> list[Outcome]:
    """Run the linters but ansible-lint."""
    return [
        run("yamllint", [str(BIN / "yamllint"), "--strict", "."]),
        run("ruff", [str(BIN / "ruff"), "check", "."]),
        run("ruff format", [str(BIN / "ruff"), "format", "--check", "."]),
        run("mypy", [str(BIN / "mypy")]),
    ]


def scenarios() -> list[str]:
    """Return the Molecule scenarios."""
    return sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml"))


def scenario(name: str) -> Outcome:
    """Run one scenario on ports of its own."""
    ports = {key: str(port) for key, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    return run(f"molecule {name}", [str(BIN / "molecule"), "test", "-s", name], environment=ports)


def files(folder: str) -> list[str]:
    """Return the files of tests in a folder."""
    return sorted(path.stem.removeprefix("test_") for path in ROOT.glob(f"tests/{folder}/test_*.py"))


def side_by_side(steps: Sequence[tuple[str, str]]) -> list[Outcome]:
    """Run scenarios and files, given as (stage, name), two side by side, and after them those that must be alone."""
    apart = Lock()

    def step(item: tuple[str, str]) -> Outcome:
        stage, name = item
        with apart if " ".join(item) in APART else nullcontext():
            return scenario(name) if stage == "molecule" else pytest(f"{stage} {name}", f"tests/{stage}/test_{name}.py")

    shared = sorted(
        (item for item in steps if item[1] not in ALONE),
        key=lambda item: FIRST.index(" ".join(item)) if " ".join(item) in FIRST else len(FIRST),
    )
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(step, shared))
    return outcomes + [step(item) for item in steps if item[1] in ALONE]


def main() -> int:
    """Run the stages asked for and return 1 when anything failed."""
    parser = argparse.ArgumentParser(
        prog="./ready test", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", type=lambda text: text.split(","), metavar="A[,B]", help=f"stages among {', '.join(STAGES)}"
    )
    parser.add_argument(
        "--scenario", type=lambda text: text.split(","), metavar="A[,B]", help="only these Molecule scenarios"
    )
    arguments = parser.parse_args()
    only = arguments.only or (["molecule"] if arguments.scenario else list(STAGES))
    if wrong := set(only) - set(STAGES):
        parser.error(f"unknown stage {', '.join(sorted(wrong))}")
    os.environ.update(
        PATH=f"{BIN}{os.pathsep}{os.environ['PATH']}", ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"), PY_COLORS="0"
    )
    started = time.monotonic()
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(1) as beside:
        slow: Future[Outcome] | None = None
        if "lint" in only:
            say("lint")
            outcomes += lint()
            slow = beside.submit(run, "ansible-lint", [str(BIN / "ansible-lint"), "-q"])
        if "unit" in only:
            say("unit tests")
            outcomes.append(pytest("unit", "tests/unit"))
        docker = {"images", "molecule", "windows", "system"} & set(only)
        if docker:
            say("Docker and images")
            outcomes.append(run("prepare", [str(BIN / "ansible-playbook"), "tests/prepare.yml"]))
        prepared = bool(docker) and not outcomes[-1].failed
        if prepared and "images" in only:
            say("image contract")
            outcomes.append(pytest("images", "tests/images"))
        if slow:
            outcomes.append(slow.result())
    if prepared:
        steps = [("molecule", name) for name in arguments.scenario or scenarios() if "molecule" in only]
        steps += [(stage, name) for stage in ("windows", "system") if stage in only for name in files(stage)]
        if steps:
            say("Molecule scenarios, simulated Windows hosts, whole stacks and their faults")
            outcomes += side_by_side(steps)
    say(f"{time.monotonic() - started:.0f} s in all; logs in {LOGS.relative_to(ROOT)}/")
    passed, failed = sum(item.passed for item in outcomes), sum(item.failed for item in outcomes)
    say(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
