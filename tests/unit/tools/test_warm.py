"""What is forked of one Ansible is what ansible-playbook does, and a linter that uses it sees a planted fault."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.unit.tools.warmed import program
from tools.testing.catalogue import lint as steps
from tools.testing.lint import lint
from tools.testing.warm import PROGRAM, ROOT

BROKEN = "- name: It has no end\n  hosts: localhost\n  tasks:\n    - name: Say it\n      ansible.builtin.nope:\n"


def done(command: str, *words: str, cwd: Path = ROOT, **environment: str) -> tuple[int, str, str]:
    """Return how a call ended, and what it printed."""
    its = subprocess.run(
        [command, *words], cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    return its.returncode, its.stdout, its.stderr


@pytest.mark.parametrize(
    ("words", "elsewhere", "environment"),
    [
        (["-i", "a,", "{}/good.yml", "--list-hosts"], False, {}),
        (["-i", "a,", "{}/good.yml", "--list-tasks"], True, {"ANSIBLE_NOCOLOR": "0", "ANSIBLE_FORCE_COLOR": "1"}),
        (["-i", "a,", "{}/broken.yml", "--syntax-check", "-vv"], False, {}),
        (["--no-such-option"], True, {}),
    ],
    ids=["good", "another configuration", "broken", "wrong call"],
)
def test_it_is_the_program(words: list[str], elsewhere: bool, environment: dict[str, str], tmp_path: Path) -> None:
    """Exit code and both streams, also where the configuration is another, and from another directory."""
    (tmp_path / "good.yml").write_text("- name: Nothing\n  hosts: all\n  gather_facts: false\n  tasks: []\n")
    (tmp_path / "broken.yml").write_text(BROKEN)
    words, cwd = [word.format(tmp_path) for word in words], tmp_path if elsewhere else ROOT
    assert done(program(), *words, cwd=cwd, **environment) == done(str(PROGRAM), *words, cwd=cwd, **environment)


def test_calls_know_nothing_of_each_other(tmp_path: Path) -> None:
    """What one has in its environment, or was killed by, the next one does not see."""
    (tmp_path / "play.yml").write_text(
        "- name: Say it\n  hosts: localhost\n  gather_facts: false\n  tasks:\n"
        "    - {name: Say, ansible.builtin.debug: {msg: \"{{ lookup('env', 'WORD') }} is the word\"}}\n"
        "    - {name: End, ansible.builtin.meta: end_play}\n"
    )
    play = ("-i", "localhost,", "-c", "local", str(tmp_path / "play.yml"))
    assert "first is the word" in done(program(), *play, WORD="first")[1]
    process = subprocess.Popen([program(), *play], stdout=subprocess.PIPE)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "first is the word" not in done(program(), *play)[1]


def test_a_planted_fault_is_linted(tmp_path: Path) -> None:
    """A module that there is not, which the syntax check alone finds: the step of the linter is this one."""
    (step,) = (step for step in steps() if step.name == "ansible-lint")
    assert step.command[1:] == ("-m", "tools.testing.lint")
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(f"---\n{BROKEN}")
    found = lint(str(playbook))
    assert found.returncode != 0
    assert "syntax-check" in found.stdout
    assert "ansible.builtin.nope" in found.stdout
