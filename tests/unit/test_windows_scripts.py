"""Scripts for Windows: they parse, say what they are, and are listed. None of them ran here: there is no PowerShell."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "scripts" / "windows").glob("*.ps1"))
SHELL = sorted((ROOT / "scripts" / "linux").glob("*.sh"))
PARSER = Parser(Language(tree_sitter_powershell.language()))
#: Variables that PowerShell itself sets.
AUTOMATIC = {
    "_",
    "null",
    "true",
    "false",
    "input",
    "args",
    "error",
    "matches",
    "psitem",
    "pscmdlet",
    "psversiontable",
    "pid",
    "lastexitcode",
    "this",
    "psscriptroot",
    "myinvocation",
    "erroractionpreference",
    "verbosepreference",
}


def nodes(node: Node) -> Iterator[Node]:
    """Yield a tree."""
    yield node
    for child in node.children:
        yield from nodes(child)


def faults(text: str) -> list[str]:
    """Return where a script does not parse."""
    return [
        f"line {node.start_point.row + 1}: {node.type} {(node.text or b'').decode()[:40]!r}"
        for node in nodes(PARSER.parse(text.encode()).root_node)
        if node.is_error or node.is_missing
    ]


def undefined(text: str) -> set[str]:
    """Return variables that are read and never set, by name."""
    bare = re.sub(r"(?s)<#.*?#>|(?m:^\s*#.*$)", "", text)
    used = {name.lower() for name in re.findall(r"(?<![`'\w])\$\{?([A-Za-z_]\w*)\b(?!:)", bare)}
    made = {name.lower() for name in re.findall(r"\$([A-Za-z_]\w*)\s*(?:\+|-)?=(?!=)", bare)}
    made |= {name.lower() for name in re.findall(r"foreach\s*\(\s*\$(\w+)\s+in", bare)}
    made |= {name.lower() for name in re.findall(r"\[\w[\w\[\].]*\]\s*\$(\w+)", bare)}
    return used - made - AUTOMATIC


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_says_what_it_is(path: Path) -> None:
    """First line, contract, strict mode, and a place in the list."""
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert re.fullmatch(rf"# ready: {path.stem} v\d+", first)
    assert re.search(r"^ *Set-StrictMode -Version 2$", text, re.MULTILINE)
    assert re.search(r"^(Result|\.OUTPUTS)", text.partition("#>")[0], re.MULTILINE)
    head = text.partition("#>")[0]
    parameters = re.findall(r"^    \[[\w\[\]]+\]\$(\w+)", text.partition("param(")[2].partition("\n)")[0], re.MULTILINE)
    assert [name for name in parameters if name not in head] == []
    assert f"`{path.stem}`" in (ROOT / "docs" / "windows-scripts.md").read_text()


@pytest.mark.parametrize("path", [*SCRIPTS, ROOT / "bootstrap.ps1"], ids=lambda path: path.stem)
def test_script_parses(path: Path) -> None:
    """And reads nothing that it does not set: under strict mode that would end it."""
    text = path.read_text(encoding="utf-8")
    assert text.isascii(), "PowerShell 5.1 reads a file without a mark in the system's code page"
    assert faults(text) == []
    assert undefined(text) == set()


@pytest.mark.parametrize("path", SHELL, ids=lambda path: path.stem)
def test_shell_script_parses(path: Path) -> None:
    """By a POSIX shell."""
    subprocess.run(["sh", "-n", path], check=True)
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize(
    ("text", "count"), [("$a = 1\n$a\n", 0), ("if ($true) { Get-Item 'x'\n", 1), ("Get-Item (1\n", 1)]
)
def test_parser_sees_faults(text: str, count: int) -> None:
    """What the test above leans on."""
    assert bool(faults(text)) == bool(count)


def test_unset_variables_are_seen() -> None:
    """One misspelt letter."""
    assert undefined("$found = 1\nWrite-Output $fuond $env:PATH $_.Name\n# $comment\n") == {"fuond"}


def test_state_script_gives_what_the_schema_wants() -> None:
    """Every key of the schema, at the top of its result, and no other."""
    schema = json.loads((ROOT / "schemas" / "windows_state.schema.json").read_text())
    text = (ROOT / "scripts" / "windows" / "windows_state.ps1").read_text()
    result = text[text.rindex("[ordered]@{") :]
    assert re.findall(r"^    (\w+) = ", result, re.MULTILINE) == list(schema["properties"])


@pytest.mark.parametrize(
    "part", ["account", "os", "virtualization", "wsl", "docker_desktop", "network", "surroundings", "disk"]
)
def test_parts_of_the_state_have_their_keys(part: str) -> None:
    """The hash table that each part ends with."""
    schema = json.loads((ROOT / "schemas" / "windows_state.schema.json").read_text())
    text = (ROOT / "scripts" / "windows" / "windows_state.ps1").read_text()
    body = text.partition(f"Read-Part '{part}' {{")[2].partition("\n}\n")[0]
    last = body[body.rindex("\n    @{") :]
    one_line = re.fullmatch(r"\s*@\{ (.*) \}", last)
    pairs = one_line[1].split(";") if one_line else re.findall(r"^        (\w+ =)", last, re.MULTILINE)
    assert [pair.partition("=")[0].strip() for pair in pairs] == list(schema["properties"][part]["properties"])
