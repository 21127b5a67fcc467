"""./ready VERB --help: the help of every verb is built, on every Python that the launcher would take here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ready.cli import launcher
from ready.cli.options import parser_of
from ready.stack.argument_specs import verb_specs

ROOT = Path(__file__).resolve().parents[3]
#: Prints the help of all verbs, and ends with the name of the first one that fails.
PRINTS_ALL = """
import sys
sys.path.insert(0, sys.argv[1])
from ready.cli import launcher, options
for playbook, spec in launcher.verb_specs().items():
    try:
        print(options.parser_of(playbook, spec).format_help())
    except Exception as error:
        sys.exit(f"{playbook}: {type(error).__name__}: {error}")
"""
#: Parses words of a verb among its options, in each order, and prints what becomes of them.
PARSES = """
import itertools, sys
sys.path.insert(0, sys.argv[1])
from ready.cli.options import parser_of
word = {"type": "str", "positional": True, "description": "x"}
options = {"ready_a": word | {"required": True}, "ready_b": word, "ready_c": {"type": "bool", "description": "x"}}
spec = {"short_description": "x", "description": "x", "options": options}
found = set()
for parts in itertools.permutations([("a",), ("--c",), ("-i", "x"), ("-vv",)]):
    for more in ((), ("b",)):
        given = parser_of("windows_x", spec).parse([*(word for part in parts for word in part), *more])
        found.add(str([given[name] for name in ("ready_a", "ready_b", "ready_c", "inventory", "verbose")]))
print(*sorted(found), sep="\\n")
"""


def interpreters() -> dict[str, str]:
    """Return version -> executable of every Python >= 3.12: this one, and those of PATH and pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [sys.executable, *(shutil.which(f"python3.{minor}") for minor in range(12, 20))]
    candidates += map(str, sorted(pyenv.glob("versions/3.1[2-9]*/bin/python")))
    asks = "import platform, sys; sys.version_info < (3, 12) or print(platform.python_version(), sys.executable)"
    found: dict[str, str] = {}
    for candidate in filter(None, candidates):
        said = subprocess.run([candidate, "-c", asks], capture_output=True, text=True, check=False)
        if said.returncode == 0 and said.stdout:  # a shim of pyenv fails where its version is not chosen
            version, executable = said.stdout.split(maxsplit=1)
            found.setdefault(version, executable.strip())
    return found


@pytest.mark.parametrize("playbook", verb_specs())
def test_help_of_every_verb(playbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends well, and tells of every option in the words of the verb's specification."""
    spec = verb_specs()[playbook]
    with pytest.raises(SystemExit) as end:
        launcher.run_verb(playbook, ["--help"])
    assert end.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    for option in spec.get("options", {}).values():
        for text in [option["description"]] if isinstance(option["description"], str) else option["description"]:
            assert " ".join(text.split()) in shown


@pytest.mark.parametrize("verb", launcher.LOCAL_VERBS)
def test_help_of_local_verbs(verb: str) -> None:
    """Those that are no playbook have their own."""
    done = subprocess.run([ROOT / "ready", verb, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: ./ready {verb}" in done.stdout


def test_help_on_every_python(tmp_path: Path) -> None:
    """Releases of Python differ in what they refuse of a help text, and when."""
    # PyYAML alone, as source: the compiled part of this environment's belongs to its own Python.
    shutil.copytree(Path(yaml.__file__).parent, tmp_path / "yaml", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    faults = {}
    for version, python in interpreters().items():
        command = [python, "-S", "-c", PRINTS_ALL, str(ROOT / "module_utils")]
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
        if done.returncode or "usage: ./ready up " not in done.stdout:
            faults[version] = done.stderr
    assert faults == {}


def test_words_on_every_python() -> None:
    """Releases of Python differ in which place a word takes that stands behind an option."""
    expected = "['a', 'b', True, ['x'], 2]\n['a', None, True, ['x'], 2]\n"
    found = {}
    for version, python in interpreters().items():
        command = [python, "-S", "-c", PARSES, str(ROOT / "module_utils")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found[version] = done.stdout or done.stderr
    assert found == dict.fromkeys(found, expected)
    assert found


def test_a_list_may_be_given_several_times() -> None:
    """And with commas: all that was said counts."""
    spec = {"short_description": "s", "description": "d", "options": {"ready_x": {"type": "list", "description": "x"}}}
    parser = parser_of("restore", spec)
    assert parser.parse_args(["--x", "a", "--x", "b,c"]).ready_x == ["a", "b", "c"]
    assert parser.parse_args([]).ready_x is None
