"""The scripts that run on Windows: they parse, they say what they are, and they use nothing that is not there.

This is no proof that they work: nothing here runs PowerShell. The parser also flags some valid code of others
(generic types with a backtick, nested types with +), which ours does without. What
they use is looked at by test_powershell_rules.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ready.windows import script_text
from tree_sitter import Node

from tools.powershell.tree import name_of, parse, text_of, walk

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = sorted((ROOT / "scripts" / "windows").glob("*.ps1"))
#: What the owner of a Windows host may run, to try the others there.
PESTER = sorted((ROOT / "tests" / "windows" / "pester").glob("*.ps1"))
#: Variables that PowerShell sets.
AUTOMATIC = {
    "_",
    "args",
    "env",
    "false",
    "home",
    "host",
    "input",
    "lastexitcode",
    "matches",
    "myinvocation",
    "null",
    "psboundparameters",
    "pscmdlet",
    "pscommandpath",
    "psscriptroot",
    "psversiontable",
    "true",
}
PREFERENCES = {"erroractionpreference", "progresspreference", "warningpreference", "whatifpreference"}


def errors(root: Node) -> list[str]:
    """Return where the parser gave up."""
    return [
        f"line {node.start_point.row + 1}: {text_of(node)[:60]!r}"
        for node in walk(root)
        if node.is_error or node.is_missing
    ]


def assigned(root: Node) -> set[str]:
    """Return the variables that get a value: by assignment, as parameter, or by foreach."""
    found: set[str] = set()
    for node in walk(root):
        if node.type in ("left_assignment_expression", "script_parameter"):
            inside = list(walk(node))
            if any(item.type in ("member_access", "element_access") for item in inside):
                continue  # a part of something gets a value, not the variable
            found |= {name_of(item) for item in inside if item.type == "variable"}
        elif node.type == "foreach_statement":
            found |= {name_of(item) for item in node.children[:3] if item.type == "variable"}
    # The parser takes a script's own param block for a command.
    for node in walk(root):
        if node.type == "command" and text_of(node).casefold().startswith("param"):
            found |= {name_of(item) for item in walk(node) if item.type == "variable"}
    return found


def unknown_variables(root: Node) -> set[str]:
    """Return the variables that are read and never set."""
    used = {name_of(node) for node in walk(root) if node.type == "variable"}
    return {name for name in used - assigned(root) - AUTOMATIC - PREFERENCES if not name.startswith("env:") and name}


@pytest.fixture(params=[*SCRIPTS, ROOT / "bootstrap.ps1", *PESTER], ids=lambda path: path.stem)
def code(request: pytest.FixtureRequest) -> Node:
    """Each script, and the one that a user starts, parsed."""
    text = script_text.text_of(request.param).encode()
    assert text.isascii(), "PowerShell 5.1 reads a file without a mark in the system's code page"
    return parse(text)


@pytest.fixture(params=SCRIPTS, ids=lambda path: path.stem)
def script(request: pytest.FixtureRequest) -> Path:
    """Each script."""
    return Path(request.param)


def test_there_are_scripts() -> None:
    """The other tests have something to look at."""
    assert SCRIPTS


def test_it_parses(code: Node) -> None:
    """Without an error or a missing word."""
    assert not errors(code)


def test_it_says_what_it_is(script: Path) -> None:
    """Its id in the first line, then help with a line for each parameter and the result."""
    text = script.read_text()
    head = re.match(rf"# ready: {script.stem} v\d+\n(?:# reads only\n)?<#\n(.*?)#>\n", text, re.DOTALL)
    assert head, "expected the id, then the help"
    explained = re.search(r"^Parameters\n((?:  .*\n)+)", head[1], re.MULTILINE)
    parameters = re.search(r"^param\s*\((.*?)^\)", text, re.DOTALL | re.MULTILINE)
    names = re.findall(r"\]\$(\w+)", parameters[1]) if parameters else []
    said = re.findall(r"^  (\w+)  ", explained[1], re.MULTILINE) if explained else []
    assert sorted(said) == sorted(names)
    assert re.search(r"^Result: ", head[1], re.MULTILINE)


def test_it_is_plain_and_strict(script: Path) -> None:
    """ASCII with Unix ends of line, strict, stopping at errors; nothing evaluates text."""
    text = script.read_bytes()
    assert text.isascii()
    assert b"\r" not in text
    assert b"\t" not in text
    assert b"Set-StrictMode -Version 2" in text
    assert b"$ErrorActionPreference = 'Stop'" in text
    assert not re.search(rb"Invoke-Expression|\biex\b|\[scriptblock\]::Create|-EncodedCommand", text, re.IGNORECASE)


def test_it_has_no_unknown_variable(code: Node) -> None:
    """Set-StrictMode would end it there."""
    assert not unknown_variables(code)


def test_it_is_in_the_list(script: Path) -> None:
    """docs/windows-scripts.md names it."""
    assert f"`{script.stem}`" in (ROOT / "docs" / "windows-scripts.md").read_text()


def test_programs_that_do_not_read_are_ended() -> None:
    """What a program is given is written while its time runs, in each script that gives any."""
    writers = [path.stem for path in SCRIPTS if "RedirectStandardInput = $true" in path.read_text()]
    assert {"native_run", "wsl_exec"} <= set(writers)
    for name in writers:
        assert not re.search(
            r"BaseStream\.Write\(|StandardInput\.Write\(", (SCRIPTS[0].parent / f"{name}.ps1").read_text()
        )


def test_tasks_run_on_battery_and_for_longer_than_three_days() -> None:
    """Each task that a script registers: what it does not say is as Windows has it."""
    makers = [path for path in [*SCRIPTS, ROOT / "bootstrap.ps1"] if "Register-ScheduledTask" in path.read_text()]
    assert "docker_desktop_start" in {path.stem for path in makers}
    for path in makers:
        text = path.read_text().replace("unregister-", "").replace("Unregister-", "")
        assert text.count("Register-ScheduledTask") == text.count("-Settings $settings"), path.stem
        settings = re.findall(r"New-ScheduledTaskSettingsSet (.*)", text)
        assert settings, path.stem
        for line in settings:
            assert "-AllowStartIfOnBatteries -DontStopIfGoingOnBatteries" in line, path.stem
            assert "-ExecutionTimeLimit ([TimeSpan]::Zero)" in line, path.stem


def test_bootstrap_clones_once_and_then_keeps() -> None:
    """A second run has the repository already, and comes to the task all the same."""
    text = (ROOT / "bootstrap.ps1").read_text()
    assert text.index("/usr/bin/test -e ready") < text.index("$Source -and -not $there")
    assert text.index("$Source -and -not $there") < text.index("git clone $Source")
    assert text.index("git clone $Source") < text.index("Register-ScheduledTask")
    assert text.index("--terminate $Distribution") < text.index("Start-ScheduledTask")


def test_bootstrap_looks_for_the_mark_first() -> None:
    """A distro of that name that Ready did not make is refused before it is configured."""
    text = (ROOT / "bootstrap.ps1").read_text()
    assert text.index("ready.json") < text.index("and it is left untouched") < text.index("its user, systemd and tools")
    assert "-and -not $Adopt" in text


GOOD = b"param([int]$A)\nSet-StrictMode -Version 2\n$b = $A + 1\nforeach ($c in @(1, 2)) { Write-Output ($b + $c) }\n"


def test_the_checks_see_what_is_wrong() -> None:
    """Each of them, on a script that is well but for one thing."""
    assert not errors(parse(GOOD))
    assert not unknown_variables(parse(GOOD))
    assert errors(parse(GOOD.replace(b"($b + $c)", b"($b + $c")))
    assert unknown_variables(parse(GOOD.replace(b"$b + $c", b"$nowhere + $c"))) == {"nowhere"}
