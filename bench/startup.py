# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What it costs to start something that has nothing to do: `.venv/bin/python bench/startup.py [CHECKOUT …]`.

Prints CPU seconds, of this checkout and of others given (such as a worktree of an older commit), measured in turns:
only figures of one run can be compared. Run it with the Python of the probes' environment to see that one's.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = Path(sys.prefix)
ROUNDS = 7
#: A template makes Ansible load all filters.
_PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - debug: {msg: "{{ 'a' | upper }}"}
"""
_RUNNER = "from pathlib import Path; from ready.backups.runner_archive import runner; Path({!r}).write_bytes(runner())"
#: As a timer starts it, with settings that lie elsewhere.
_TIMER = """
import sys
from pathlib import Path
sys.path.insert(0, {runner!r})
from ready.backups import timer, workspace
workspace.SETTINGS = Path({directory!r})
sys.exit(timer.main(["backup", "bench", "--if-due", "daily"]))
"""


def cpu(command: list[str], checkout: Path, config: str) -> float:
    """Return the CPU seconds of a command and its children."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environ |= {"PYTHONPATH": str(checkout / "module_utils"), "ANSIBLE_CONFIG": config}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=environ, cwd=checkout)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def commands(checkout: Path, directory: Path) -> dict[str, tuple[list[str], str]]:
    """Return what is measured -> its command, and the configuration of Ansible that it runs with."""
    python, runner = str(VENV / "bin" / "python"), directory / f"{checkout.name}.pyz"
    cpu([python, "-c", _RUNNER.format(str(runner))], checkout, os.devnull)
    play = [str(VENV / "bin" / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(directory / "play.yml")]
    timer = _TIMER.format(runner=str(runner), directory=str(directory))
    return {
        "Python itself": ([python, "-c", ""], os.devnull),
        "a timer's run with nothing due": ([python, "-c", timer], os.devnull),
        "`import ready.backups.run`": ([python, "-c", "import ready.backups.run"], os.devnull),
        "`import ready.checks.make_probes`": ([python, "-c", "import ready.checks.make_probes"], os.devnull),
        "`ansible-playbook` with one `debug`": (play, str(checkout / "ansible.cfg")),
        "the same without Ready's configuration": (play, str(directory / "none.cfg")),
    }


def main() -> int:
    """Measure and print a table in Markdown."""
    checkouts = [*(Path(word).resolve() for word in sys.argv[1:]), ROOT]
    with tempfile.TemporaryDirectory(prefix="ready-bench-") as name:
        directory = Path(name)
        (directory / "play.yml").write_text(_PLAY)
        (directory / "bench").mkdir()
        (directory / "bench" / "settings.json").write_text(
            f'{{"stack": {{"name": "bench"}}, "directory": "{name}/work"}}'
        )
        (directory / "none.cfg").touch()
        (directory / "work").mkdir()
        (directory / "work" / "state.json").write_text(f'{{"backup_succeeded_at": {time.time()}}}')
        plans = {checkout: commands(checkout, directory) for checkout in checkouts}
        print(f"| CPU seconds, median of {ROUNDS} | {' | '.join(item.name for item in checkouts)} |")
        print("|---" * (len(checkouts) + 1) + "|")
        for what in plans[ROOT]:
            found: dict[Path, list[float]] = {checkout: [] for checkout in checkouts}
            for _ in range(ROUNDS + 1):  # the first one compiles
                for checkout in checkouts:
                    found[checkout].append(cpu(plans[checkout][what][0], checkout, plans[checkout][what][1]))
            medians = (f"{statistics.median(seconds[1:]):.2f}" for seconds in found.values())
            print(f"| {what} | {' | '.join(medians)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
