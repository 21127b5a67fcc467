"""What a user types after ./ready: checked at once, in one line each, with what was probably meant."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ready import __version__
from ready.cli import launcher
from ready.cli.bounds import bound_faults
from ready.cli.options import parser_of, typed_values, value_faults
from ready.stack.argument_specs import role_specs, verb_specs
from ready.stack.definitions import STACK_NAME

ROOT = Path(__file__).resolve().parents[3]


def numbers(options: Mapping[str, Any], where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every option that is a number, or a list of them, however deep."""
    for name, option in options.items():
        if {option.get("type"), option.get("elements")} & {"int", "float"}:
            yield f"{where} {name}", option
        yield from numbers(option.get("options", {}), f"{where} {name}")


POINTS = [(f"verb {name}", point) for name, point in verb_specs().items()]
POINTS += [(f"role {role}", point) for role, points in role_specs().items() for point in points.values()]
NUMBERS = [item for where, point in POINTS for item in numbers(point.get("options", {}), where)]


def test_every_number_has_a_range() -> None:
    """In its spec, and the default is inside of it."""
    assert len(NUMBERS) > 30
    assert [name for name, option in NUMBERS if not {"minimum", "maximum"} <= set(option)] == []
    outside = [name for name, its in NUMBERS if "default" in its and list(bound_faults(name, its, its["default"]))]
    assert outside == []


def test_one_variable_has_one_range() -> None:
    """Wherever it is an option: the playbooks check it by its name alone."""
    found: dict[str, set[str]] = {}
    for name, option in NUMBERS:
        found.setdefault(name.split()[-1], set()).add(f"{option['minimum']} {option['maximum']}")
    assert {name: ranges for name, ranges in found.items() if len(ranges) > 1} == {}


def test_keys_of_our_own_are_whole() -> None:
    """A form says what it expects, a path what it is for; a misspelt key is ignored by Ansible, and seen here."""
    known = {"type", "elements", "description", "choices", "default", "required", "options"}
    known |= {"minimum", "maximum", "pattern", "expected", "access", "names", "with", "positional"}
    options = [(where, name, its) for where, point in POINTS for name, its in point.get("options", {}).items()]
    assert [(where, name, set(its) - known) for where, name, its in options if set(its) - known] == []
    assert [name for _, name, its in options if ("pattern" in its) != ("expected" in its)] == []
    assert {its["access"] for _, _, its in options if "access" in its} == {"read", "write", "make"}
    assert {its["names"] for _, _, its in options if "names" in its} == {"services"}
    paths = [f"{where} {name}" for where, name, its in options if where.startswith("verb") and its["type"] == "path"]
    assert [
        path for path in paths if path not in {f"{where} {name}" for where, name, its in options if "access" in its}
    ] == []


def test_the_stack_name_has_one_form() -> None:
    """The spec says what the code decides by."""
    assert verb_specs()["up"]["options"]["stack_name"]["pattern"] == STACK_NAME.pattern


def refused(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the launcher says of a wrong call, which runs nothing."""
    with pytest.raises(SystemExit) as end:
        launcher.main(words.split())
    out, said = capsys.readouterr()
    assert (end.value.code, out) == (64, "")
    lines = said.splitlines()
    assert lines[-1].startswith("Nothing was changed. Next: "), said
    assert len(set(lines)) == len(lines), said
    return "\n".join(lines[:-1])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("up --serial foo", "--serial: found 'foo', expected a number of hosts or a share such as 25%"),
        ("up --serial 0", "--serial: found '0'"),
        ("windows --serial 101%", "--serial: found '101%'"),
        ("up --max-fail-percentage 200", "--max-fail-percentage: found 200, expected a number from 0 to 100"),
        ("up --max-fail-percentage nan", "--max-fail-percentage: found nan"),
        ("check --watch -1", "--watch: found -1, expected a number from 0.1 to 86400"),
        ("check --watch 0", "--watch: found 0"),
        ("check --watch 1e999", "--watch: found 1e999"),
        ("check --watch 5 --count 0", "--count: found 0, expected a whole number from 1 to"),
        ("check --count 3", "--count: found it without --watch, expected both"),
        ("check --deadline -1", "--deadline: found -1, expected a number from 1 to 3600"),
        ("check --samples -5", "--samples: found -5, expected a whole number from 1 to"),
        ("check --samples 1.5", "--samples: found 1.5, expected a whole number"),
        ("check --samples many", "--samples: found many, expected a whole number"),
        ("check --only healt", "--only: found 'healt', expected one of health, drift"),
        (
            "windows check --windows-ports 80,70000",
            "--windows-ports: found 70000, expected a whole number from 1 to 65535",
        ),
        ("logs --lines 0", "--lines: found 0"),
        (
            "logs --service nope",
            "--service: found 'nope', expected one of ai, ai_gateway, chromadb, gateway, neo4j,",
        ),
        ("restore --only redis,nope", "--only: found 'nope'"),
        ("env --format xml", "--format: found 'xml', expected one of dotenv, json"),
        ("env --output /no/such/file", "--output: found no directory /no/such, expected one that exists"),
        ("env --output /", "--output: found the directory /, expected a file"),
        ("images load --dir /no/such", "--dir: found nothing that can be read at /no/such"),
        ("images save --dir /etc/passwd/x", "--dir: found /etc/passwd is a file"),
        ("restore --key-file /no/such", "--key-file: found nothing that can be read at /no/such"),
        ("restore --set=", "--set: found nothing, expected a value"),
        ("status --stack-name A_B", "--stack-name: found 'A_B', expected 2 to 31 of"),
        ("status -i /no/such", "--inventory: found nothing that can be read at /no/such"),
        ("status --inventory=", "--inventory: found nothing, expected a value"),
        ("status --limit=", "--limit: found nothing, expected a value"),
        ("init", "the following arguments are required: DIR"),
        ("init /proc/none", "/proc/none: No such file or directory"),
        ("-i /no/such status", "--inventory: found nothing that can be read at /no/such"),
        ("images load", "the following arguments are required: --dir"),
        ("check --samples", "--samples: expected one argument"),
        ("stop --servce x", "no option --servce of ./ready stop; did you mean --service?"),
        ("destroy --vol", "no option --vol of ./ready destroy"),
        ("up extra", "found the word 'extra' after ./ready up"),
        ("stauts", "no verb 'stauts'; did you mean status?"),
        ("secrets rotat", "expected one of secrets recover, secrets rotate, secrets set, secrets show"),
        ("secerts rotate", "no verb 'secerts'; did you mean secrets rotate?"),
        ("help stauts", "did you mean status?"),
        ("-i x init y", "found -i before init"),
        ("-i x", "found no verb after -i x"),
    ],
)
def test_a_wrong_call(words: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Is refused before anything runs."""
    assert message in refused(words, capsys)


def test_all_that_is_wrong_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody wants to find the second fault after the first."""
    assert len(refused("check --samples -5 --deadline -1 --only x", capsys).splitlines()) == 3


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    """In the forms that people try."""
    assert (launcher.main(["--version"]), capsys.readouterr().out) == (0, f"Ready {__version__}\n")
    for words in (["help"], ["--help"], ["-h"], []):
        assert launcher.main(words) == 0
        assert "usage: ./ready VERB" in capsys.readouterr().out
    for words in (["help", "images", "lock"], ["--help", "images", "lock"], ["images", "lock", "-h"]):
        with pytest.raises(SystemExit) as end:
            launcher.main(words)
        assert end.value.code == 0
        assert "usage: ./ready images lock" in capsys.readouterr().out


def test_options_of_every_verb_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """They mean what they mean after it."""
    run: list[tuple[str, list[str]]] = []

    def seen(playbook: str, words: list[str]) -> int:
        run.append((playbook, words))
        return 0

    monkeypatch.setattr(launcher, "run_verb", seen)
    assert launcher.main(["-i", "x", "--check", "-vv", "--limit=a", "images", "lock", "--diff", "--", "-e", "a=b"]) == 0
    assert run == [("images_lock", ["-i", "x", "--check", "-vv", "--limit=a", "--diff", "--", "-e", "a=b"])]
    arguments = parser_of("images_lock", verb_specs()["images_lock"]).parse(run[0][1][:6])
    assert (arguments["inventory"], arguments["limit"], arguments["verbose"]) == (["x"], "a", 2)


def test_an_inventory_in_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No shell replaces the ~ of `--inventory=~/x`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    options = verb_specs()["status"]["options"]
    arguments = parser_of("status", verb_specs()["status"]).parse(["--inventory=~/here"])
    assert list(value_faults(options, arguments)) != []
    (tmp_path / "here").touch()
    assert list(value_faults(options, arguments)) == []


def test_numbers_arrive_as_numbers() -> None:
    """Ansible gets JSON."""
    options = verb_specs()["windows_check"]["options"]
    parser = parser_of("windows_check", verb_specs()["windows_check"])
    given = typed_values(
        options, parser.parse(["--samples", "30", "--windows-ports", "80,443", "--windows-ports", "1"])
    )
    assert given == {"ready_samples": 30, "ready_windows_ports": [80, 443, 1]}


@pytest.mark.parametrize("deaf", [False, True])
def test_interrupt_is_told_by_the_exit_code(deaf: bool) -> None:
    """As of any program; a run that does not end by itself is ended."""
    waits = "import signal, time; " + "signal.signal(2, signal.SIG_IGN); signal.signal(15, signal.SIG_IGN); " * deaf
    waits += "print('.', flush=True); time.sleep(600)"
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'module_utils')!r}); "
        "from ready.cli import launcher; launcher.PATIENCE = 0.1; "
        f"sys.exit(launcher._run([sys.executable, '-c', {waits!r}]))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout
        process.stdout.read(1)
        subprocess.run(["kill", f"-{signal.SIGINT.value}", "--", f"-{process.pid}"], check=True)
        assert process.wait() == launcher.INTERRUPTED == 130
