# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which steps of the catalogue a run takes: all, the usual ones, those that a change may touch, a part."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from tools.testing.pool import Step

ROOT = Path(__file__).resolve().parents[2]
#: Step, or step::test -> why it is left to --all.
LONG = ROOT / "tests" / "long.yml"
#: Path -> patterns of the steps that it may touch; `\1` is what the path's group says. A guess: nobody computes it.
TOUCHED: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"tests/(images|windows|system)/test_(\w+)\.py", (r"\1 \2",)),
    (r"tests/(images|windows|system)/", (r"\1 .*",)),
    (r"tests/unit/", ()),
    (r"tests/clients/", (r"molecule clients",)),
    (r"tests/simulator/", (r"windows .*", r"molecule (wsl|windows|docker_desktop).*")),
    (r"molecule/(\w+)/", (r"molecule \1",)),
    (r"images/", (r"images .*",)),
    (r"roles/(wsl2|windows_\w+|docker_desktop)/", (r"molecule \1", r"windows .*")),
    (r"roles/(\w+)/", (r"molecule \1", r"molecule stack", r"system life")),
    (r"module_utils/ready/(?:backups|services/\w+/backup)",
     (r"molecule backup", r"system (backup|pitr|quiesced|restic|sftp|restore).*")),
    (r"(?:services|module_utils/ready/services)/(\w+)[./]",
     (r"molecule \1", r"molecule (stack|check|clients)", r"system (check|security|latency|probe)")),
    (r"module_utils/ready/upgrades/", (r"molecule upgrade", r"system upgrade.*")),
    (r"(?:module_utils/ready/windows|scripts|connection_plugins|become_plugins|inventory_plugins)/",
     (r"windows .*", r"molecule (wsl|windows|docker_desktop).*")),
    (r"(?:docs|readiness|bench)/|\w+\.md$", (r"molecule readiness",)),
    (r"", (r"molecule stack", r"system (life|faults)")),
)  # fmt: skip


def long_list(path: Path = LONG) -> dict[str, str]:
    """Return the list of what is long: step, or step::test, each with its reason."""
    return dict(yaml.safe_load(path.read_text()))


def step_of(module: str) -> str:
    """Return the step that a module of tests belongs to: tests.system.test_life -> "system life"; else "unit"."""
    match = re.search(r"tests\.(images|windows|system)\.test_(\w+)$", module)
    return f"{match[1]} {match[2]}" if match else "unit"


def is_long(test: str, listed: Mapping[str, str]) -> bool:
    """Return whether a test (module::name[parameters]) is on the list, by itself or with its whole step."""
    module, _, name = test.partition("::")
    step = step_of(module)
    return step in listed or f"{step}::{name.partition('[')[0]}" in listed


def changed_paths() -> list[str]:
    """Return the paths that differ from origin/main, else from the last commit. Raises CalledProcessError."""

    def git(*words: str) -> list[str]:
        return subprocess.check_output(["git", "-C", str(ROOT), *words], text=True).splitlines()  # noqa: S603, S607

    base = (git("for-each-ref", "--format=%(refname)", "refs/remotes/origin/main") or ["HEAD"])[0]
    return [*git("diff", "--name-only", f"{git('merge-base', base, 'HEAD')[0]}"),
            *git("ls-files", "--others", "--exclude-standard")]  # fmt: skip


def touched(steps: Sequence[Step], paths: Iterable[str]) -> list[Step]:
    """Return the steps that a change of these paths may touch; lint and unit tests always."""
    patterns: set[str] = set()
    for path in paths:
        match, templates = next((m, its) for pattern, its in TOUCHED if (m := re.match(pattern, path)))
        patterns.update(match.expand(template) for template in templates)
    return [
        step for step in steps
        if step.stage in {"lint", "unit"} or any(re.fullmatch(pattern, step.name) for pattern in patterns)
    ]  # fmt: skip


def part(steps: Sequence[Step], number: int, count: int, seconds: Mapping[str, float]) -> list[Step]:
    """Return one of `count` parts that take about as long: longest first, each to the part that has least."""
    parts: list[list[Step]] = [[] for _ in range(count)]
    loads = [0.0] * count
    for step in sorted(steps, key=lambda item: (-seconds.get(item.name, 30.0), item.name)):
        least = loads.index(min(loads))
        parts[least].append(step)
        loads[least] += seconds.get(step.name, 30.0)
    return parts[number - 1]


def with_needs(chosen: Sequence[Step], catalogue: Sequence[Step]) -> list[Step]:
    """Return the chosen steps and what they need, in the catalogue's order."""
    by_name = {step.name: step for step in [*catalogue, *chosen]}
    wanted: set[str] = set()
    left = [step.name for step in chosen]
    while left:
        name = left.pop()
        if name not in wanted and name in by_name:
            wanted.add(name)
            left += by_name[name].needs
    return [by_name[step.name] for step in catalogue if step.name in wanted]
