"""The scripts that run on Windows: they parse, they say what they are, and they use nothing that is not there.

This is no proof that they work: nothing here runs PowerShell. The parser also flags some valid code of others
(generic types with a backtick, nested types with +), which ours does without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "scripts" / "windows").glob("*.ps1"))
#: Commands that Windows PowerShell 5.1 has, and that ours may use. Aliases are not among them.
ALLOWED = {
    "add-member",
    "convertfrom-json",
    "convertto-json",
    "enable-windowsoptionalfeature",
    "foreach-object",
    "get-acl",
    "get-childitem",
    "get-ciminstance",
    "get-command",
    "get-content",
    "get-filehash",
    "get-item",
    "get-itemproperty",
    "get-localgroupmember",
    "get-netfirewalladdressfilter",
    "get-netfirewallportfilter",
    "get-netfirewallhypervrule",
    "get-netfirewallrule",
    "get-nettcpconnection",
    "get-process",
    "get-scheduledtask",
    "get-service",
    "get-variable",
    "get-windowsoptionalfeature",
    "invoke-cimmethod",
    "invoke-webrequest",
    "join-path",
    "measure-object",
    "netsh.exe",
    "new-item",
    "new-netfirewallhypervrule",
    "new-object",
    "new-scheduledtaskaction",
    "new-scheduledtaskprincipal",
    "out-null",
    "register-scheduledtask",
    "remove-netfirewallhypervrule",
    "select-object",
    "set-strictmode",
    "sort-object",
    "split-path",
    "start-process",
    "start-scheduledtask",
    "start-sleep",
    "stop-process",
    "test-path",
    "unregister-scheduledtask",
    "where-object",
    "write-output",
    "write-verbose",
}
#: Words that the parser takes for commands at the top of a script.
KEYWORDS = {"begin", "process", "end", "param"}
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
    "null",
    "psboundparameters",
    "pscmdlet",
    "psversiontable",
    "true",
}
PREFERENCES = {"erroractionpreference", "progresspreference", "warningpreference"}
_SCOPES = ("script:", "global:", "local:", "private:")


def parse(text: bytes) -> Node:
    """Return a script's tree."""
    return Parser(Language(tree_sitter_powershell.language())).parse(text).root_node


def walk(node: Node) -> Iterator[Node]:
    """Yield every node."""
    yield node
    for child in node.children:
        yield from walk(child)


def text_of(node: Node) -> str:
    """Return a node's text."""
    return (node.text or b"").decode()


def errors(root: Node) -> list[str]:
    """Return where the parser gave up."""
    return [
        f"line {node.start_point.row + 1}: {text_of(node)[:60]!r}"
        for node in walk(root)
        if node.is_error or node.is_missing
    ]


def name_of(variable: Node) -> str:
    """Return a variable's name without sign, braces and scope."""
    name = text_of(variable).lstrip("$@{").rstrip("}").casefold()
    for scope in _SCOPES:
        name = name.removeprefix(scope)
    return name


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


def commands(root: Node) -> set[str]:
    """Return the commands that are called by name."""
    return {text_of(node).casefold() for node in walk(root) if node.type == "command_name"}


def functions(root: Node) -> set[str]:
    """Return the functions that a script defines."""
    return {text_of(node).casefold() for node in walk(root) if node.type == "function_name"}


def unknown_commands(root: Node) -> set[str]:
    """Return the commands that neither the script defines nor the list allows."""
    return commands(root) - functions(root) - ALLOWED - KEYWORDS


@pytest.fixture(params=[*SCRIPTS, ROOT / "bootstrap.ps1"], ids=lambda path: path.stem)
def code(request: pytest.FixtureRequest) -> Node:
    """Each script, and the one that a user starts, parsed."""
    text = Path(request.param).read_bytes()
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


def test_it_has_no_unknown_command(code: Node) -> None:
    """Everything is in Windows PowerShell 5.1 or defined by the script."""
    assert not unknown_commands(code)


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
    assert not unknown_commands(parse(GOOD))
    assert errors(parse(GOOD.replace(b"($b + $c)", b"($b + $c")))
    assert unknown_variables(parse(GOOD.replace(b"$b + $c", b"$nowhere + $c"))) == {"nowhere"}
    assert unknown_commands(parse(GOOD.replace(b"Write-Output", b"Write-Outputt"))) == {"write-outputt"}
    assert unknown_commands(parse(GOOD.replace(b"Write-Output", b"echo"))) == {"echo"}
