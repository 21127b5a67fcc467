# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run what proves Ready: `./ready test`, ending with a line that counts.

Steps are linters, unit tests, image contracts, Molecule scenarios, simulated Windows hosts, whole stacks and their
faults. Four run at a time, at most two of them with a whole stack; what measures latency runs alone at the end. The
steps that take longest start first, by the seconds that earlier runs have recorded. What tests/long.yml names is left
out unless --all asks for it. Every step has its log in .cache/test/.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tools.testing import choice
from tools.testing.catalogue import BIN, ROOT, SHARED, STAGES, catalogue, scenarios
from tools.testing.pool import Pool, Step
from tools.testing.results import (
    LOGS,
    OWN,
    RECORDED,
    Durations,
    Outcome,
    allowed_skips,
    excerpt,
    forbidden_skips,
    read_report,
    slowest,
)  # fmt: skip

#: Seconds after which a step counts as hung.
LIMIT = 1800
_printing = threading.Lock()


def say(text: str) -> None:
    """Print a line at once, whole."""
    with _printing:
        print(text, flush=True)


def run(step: Step) -> Outcome:
    """Run one step with its output in a log; print how it went, and the log's end when it failed."""
    log = LOGS / f"{step.name.replace('/', '-').replace(' ', '-')}.log"
    if step.junit:
        step.junit.unlink(missing_ok=True)
    say(f"  {step.name} …")
    started = time.monotonic()
    with log.open("wb") as stream:
        try:
            code = subprocess.run(  # noqa: S603
                step.command,
                cwd=ROOT,
                env={**os.environ, **dict(step.environment)},
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=LIMIT,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = 124
    if step.junit:
        outcome = read_report(step.name, step.junit, code)
    else:
        outcome = Outcome(step.name, int(code == 0), int(code != 0))
    outcome.seconds = time.monotonic() - started
    skipped = f", {len(outcome.skipped)} skipped" if outcome.skipped else ""
    say(f"  {step.name}: {outcome.passed} passed, {outcome.failed} failed{skipped} in {outcome.seconds:.0f} s")
    if outcome.failed:
        shown = "\n".join(excerpt(log.read_text(errors="replace").splitlines()))
        say(f"----- {log.relative_to(ROOT)} (what failed, and its end) -----\n{shown}\n-----")
    return outcome


def without_long(steps: Sequence[Step]) -> tuple[list[Step], str]:
    """Return the steps without what is long, and a line that says how much that is."""
    listed = choice.long_list()
    kept = [step for step in steps if step.name not in listed]
    partly = {name.partition("::")[0] for name in listed if "::" in name}
    kept = [replace(step, command=(*step.command, "-m", "not long")) if step.name in partly else step for step in kept]
    command = [
        str(BIN / "pytest"),
        "-q",
        "--collect-only",
        "-m",
        "long",
        "tests/images",
        "tests/windows",
        "tests/system",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    tests = sum("::" in line for line in done.stdout.splitlines())
    others = sum(step.name in listed and not step.junit for step in steps)
    return kept, f"left out as long: {tests} tests and {others} scenarios. ./ready test --all runs them, too"


def options() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="./ready test", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    comma: dict[str, Any] = {"type": lambda text: text.split(","), "metavar": "A[,B]"}
    parser.add_argument("--all", action="store_true", help="also what tests/long.yml names; CI does")
    parser.add_argument("--only", help=f"stages among {', '.join(STAGES)}", **comma)
    parser.add_argument("--scenario", help="only these Molecule scenarios, each on a dedicated stack", **comma)
    parser.add_argument("--step", help="only these steps, by the names that a run prints", **comma)
    parser.add_argument(
        "--changed", action="store_true", help="only what your changes since origin/main may touch: a guess by paths"
    )
    parser.add_argument("--part", metavar="N/M", help="one of M parts that take about as long, by recorded seconds")
    parser.add_argument(
        "--default-stack", action="store_true",
        help="bring the default stack up first, run everything beside it, and fail if that touched it; CI does",
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="list the steps with their recorded seconds, run nothing")
    parser.add_argument("--record", action="store_true", help="keep this run's seconds in tests/durations.json as well")
    return parser


def chosen(arguments: argparse.Namespace, seconds: dict[str, float]) -> list[Step]:
    """Return the steps that the command line asks for, with those that they need. Raises ValueError."""
    for name, known in (("only", STAGES), ("scenario", scenarios())):
        if wrong := sorted(set(getattr(arguments, name) or ()) - set(known)):
            raise ValueError(f"--{name}: found {', '.join(wrong)}, expected among {', '.join(known)}")
    everything = catalogue(arguments.default_stack, shared=not arguments.scenario)
    wanted = set(arguments.step or ())
    if wrong := sorted(wanted - {step.name for step in everything}):
        raise ValueError(f"--step: found {', '.join(wrong)}; ./ready test --list names the steps")
    if arguments.scenario:
        wanted |= {f"molecule {name}" for name in arguments.scenario}
    if wanted:
        steps = [step for step in everything if step.name in wanted]
    elif arguments.only:
        steps = [step for step in everything if step.stage in arguments.only]
    else:
        steps = [step for step in everything if step.stage != "prepare"]
        if not arguments.all:
            steps, line = without_long(steps)
            say(line)
    if arguments.changed:
        paths = choice.changed_paths()
        steps = choice.touched(steps, paths)
        say(f"a guess by the paths of {len(paths)} changed files: {len(steps)} steps")
    if arguments.part:
        number, _, count = arguments.part.partition("/")
        if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
            raise ValueError(f"--part: found {arguments.part}, expected for example 1/2")
        steps = choice.part(steps, int(number), int(count), seconds)
    if any(step.name.removeprefix("molecule ") in SHARED for step in steps) and not arguments.scenario:
        steps += [step for step in everything if step.name == "shared stack" and step not in steps]
    if arguments.default_stack:
        steps += [step for step in everything if step.name.startswith("default stack") and step not in steps]
    return choice.with_needs(steps, everything)


def main() -> int:
    """Run the steps asked for and return 1 when anything failed, 2 for a wrong call."""
    parser = options()
    arguments = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    # A shell's background job ignores it, and so would every program that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(
        PATH=f"{BIN}{os.pathsep}{os.environ['PATH']}", ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"), PY_COLORS="0"
    )
    durations = Durations.read(RECORDED, OWN)
    try:
        steps = chosen(arguments, durations.steps)
    except ValueError as error:
        parser.error(str(error))
    if arguments.list:
        for step in steps:
            print(f"{durations.steps.get(step.name, 0):7.0f} s  {step.name}")
        return 0
    started = time.monotonic()
    outcomes = Pool(run, say)(steps, durations.steps)
    total = time.monotonic() - started
    durations.keep(outcomes)
    durations.write(OWN)
    if arguments.record:
        known = Durations.read(RECORDED)
        known.keep(outcomes)
        known.write(RECORDED)
    say("slowest tests:\n" + "\n".join(slowest(outcomes)))
    skipped = {test: reason for outcome in outcomes for test, reason in outcome.skipped.items()}
    forbidden = forbidden_skips(outcomes, allowed_skips())
    for test, reason in skipped.items():
        word = "skipped, and not in tests/skips.yml" if test in forbidden else "skipped"
        say(f"{word}: {test}: {reason}")
    failed = [outcome.name for outcome in outcomes if outcome.failed]
    if failed:
        say(f"failed: {', '.join(failed)}")
    passed, bad = sum(item.passed for item in outcomes), sum(item.failed for item in outcomes) + len(forbidden)
    busy = sum(item.seconds for item in outcomes)
    say(f"{total:.0f} s in all ({busy:.0f} s of {len(outcomes)} steps); logs in {LOGS.relative_to(ROOT)}/")
    say(f"{passed} passed, {bad} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
