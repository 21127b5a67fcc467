"""A question before something can't be undone, on a terminal as a user has it; and what a failure looks like."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.terminal import typed

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = str(Path(sys.executable).parent / "ansible-playbook")
ENVIRONMENT = os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Ask for confirmation
      question: {prompt: Type yes to continue, declined: Nothing was removed.}
    - name: Remove
      ansible.builtin.debug: {msg: it is removed}
"""
#: As the launcher runs a playbook.
LAUNCHER = f"import sys; sys.path.insert(0, {str(ROOT / 'module_utils')!r}); from ready.cli.launcher import _run; "
LAUNCHER += "sys.exit(_run(sys.argv[1:]))"


def left(word: str) -> list[str]:
    """Return the command lines of processes that have a word in theirs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has ended
            continue
    return [line for line in found if word in line]


def answered(playbook: Path, keys: bytes) -> tuple[int, str]:
    """Run a playbook on a terminal, type keys when it asks, and return the exit code and what was printed."""
    command = [sys.executable, "-c", LAUNCHER, PROGRAM, "-i", "a,b,", "-c", "local", str(playbook)]
    return typed(command, ENVIRONMENT, {b"continue: ": keys})


@pytest.mark.parametrize(
    ("keys", "code", "said"),
    [(b"n\r", 2, "Nothing was removed."), (b"\r", 2, "Nothing was removed."), (b"yes\r", 0, "")],
)
def test_answers(keys: bytes, code: int, said: str, tmp_path: Path) -> None:
    """Only yes is yes. Another answer is no fault of anybody's: a plain line, once for all hosts."""
    playbook = tmp_path / "ask.yml"
    playbook.write_text(PLAYBOOK)
    found, shown = answered(playbook, keys)
    assert found == code, shown
    assert ("it is removed" in shown) == (code == 0), shown
    assert shown.count(said or "it is removed") == (1 if said else 2), shown
    assert shown.count("continue: ") == 1, shown
    assert "[ERROR]" not in shown, shown
    assert "fatal" not in shown, shown


def test_ctrl_c_ends_the_run(tmp_path: Path) -> None:
    """Without a second question, and without a process that stays."""
    playbook = tmp_path / "ask.yml"
    playbook.write_text(PLAYBOOK)
    code, shown = answered(playbook, b"\x03")
    assert code == 130, shown
    assert "Nothing was removed." in shown
    assert "it is removed" not in shown
    assert left(str(playbook)) == []


def test_nobody_to_answer(tmp_path: Path) -> None:
    """That is an error, with the option that says yes."""
    playbook = tmp_path / "ask.yml"
    playbook.write_text(PLAYBOOK)
    command = [PROGRAM, "-i", "a,b,", "-c", "local", str(playbook)]
    done = subprocess.run(
        command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Nothing was removed. Found no terminal to ask" in " ".join(done.stdout.split())
    assert "--yes" in done.stdout


def test_a_message_is_said_once(tmp_path: Path) -> None:
    """Whoever says it: a task, a module, a filter. The excerpt of the playbook comes with -v."""
    playbook = tmp_path / "fails.yml"
    fails = ["fail: {msg: \"a: 'reason' of-task\"}", "command: {cmd: cat /reason-of-module}"]
    fails.append("set_fact: {x: \"{{ {'all': ['a'], 'windows': []} | ready_stack_hosts }}\"}")
    tasks = "".join(f"    - name: Task\n      ansible.builtin.{task}\n      ignore_errors: true\n" for task in fails)
    playbook.write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")

    def run(*words: str) -> str:
        command = [PROGRAM, "-i", "a,", "-c", "local", str(playbook), *words]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    shown = run()
    assert shown.count("a: 'reason' of-task") == 1, shown
    assert shown.count("No such file or directory") <= 2, shown  # the program's own words: stderr, stderr_lines
    assert shown.count("found no group 'ready'") == 1, shown
    assert "Origin:" not in shown
    assert "Origin:" in run("-v")
