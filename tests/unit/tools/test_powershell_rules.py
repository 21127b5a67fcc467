"""The rules for PowerShell that need none: each sees what it is for and nothing else; scripts and docs keep them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.powershell.__main__ import inline, main, project_scripts, script_of
from tools.powershell.cmdlets import FILE, PLACE, known_from
from tools.powershell.rules import check
from tools.powershell.tree import Script

ROOT = Path(__file__).resolve().parents[3]
#: By rule: what it refuses, and the same thing done well.
EXAMPLES: dict[str, list[tuple[str, str]]] = {
    "unlisted-cmdlet": [
        ("Get-Nothing", "function Get-Nothing { 1 }\nGet-Nothing"),
        ("& ipconfig.exe /all", "& netsh.exe interface show interface"),
    ],
    "unlisted-parameter": [
        ("Get-ChildItem -LiteralPath $home -Rec", "Get-ChildItem -LiteralPath $home -Recurse"),
        ("1..3 | ForEach-Object -Parallel { 1 }", "1..3 | ForEach-Object -Process { 1 }"),
        ("$new = @{ Nane = 'a' }\nNew-LocalGroup @new", "$new = @{ Name = 'a' }\nNew-LocalGroup @new"),
        ("$new = Get-Variable\nNew-LocalGroup @new", "Unregister-ScheduledTask -TaskName a -Confirm:$false"),
    ],
    "too-new": [
        (
            "$r = @(Get-NetFirewallHyperVRule -All)",
            "if ($null -ne (Get-Command -Name Get-NetFirewallHyperVRule -ErrorAction SilentlyContinue)) {"
            "\n$r = @(Get-NetFirewallHyperVRule -All) }",
        )
    ],
    "alias": [
        ("gci $home", "Get-ChildItem -LiteralPath $home"),
        ("@(1) | % { 1 }", "@(1) | ForEach-Object { 1 }"),
        ("@(1) | ? { $_ }", "@(1) | Where-Object { $_ }"),
    ],
    "powershell-6": [
        ("$a = $null ?? 1", "$a = 1\nif ($null -eq $home) { $a = 2 }"),
        ("Start-Sleep 1 && Start-Sleep 2", "Start-Sleep 1; Start-Sleep 2"),
        ("$a = $true ? 1 : 2", "if ($true) { $a = 1 } else { $a = 2 }"),
        ("if ($IsWindows) { 1 }", "if ($env:OS -eq 'Windows_NT') { 1 }"),
        ("#Requires -Version 7.0\n1", "#Requires -Version 5.1\n1"),
    ],
    "dotnet-core": [
        ("[Convert]::ToHexString($b)", "[BitConverter]::ToString($b)"),
        ("$info.ArgumentList.Add('a')", "$info.Arguments = 'a'"),
        ("try { $process.Kill($true) } catch { [void]$_ }", "try { $process.Kill() } catch { [void]$_ }"),
        ("[IO.Path]::Join('a', 'b')", "[string]::Join('a', 'b')"),
    ],
    "count-on-null": [
        ("$a = Get-Process\nif ($a.Count -gt 0) { 1 }", "$a = @(Get-Process)\nif ($a.Count -gt 0) { 1 }"),
        ("(Get-Process | Where-Object { $_ }).Count", "@(Get-Process | Where-Object { $_ }).Count"),
        ("function F($A) { $A.Count }", "function F([string[]]$A) { $A.Count }"),
        ("$a = @()\n$a = Get-Process\n$a.Count", "$a = @()\n$a += 1\n$a.Count"),
    ],
    "index-of-pipeline": [
        ("$a = Get-Process | Sort-Object Id\n$a[0]", "$a = @(Get-Process | Sort-Object Id)\n$a[0]"),
        ("(Get-Content -LiteralPath a)[0]", "@(Get-Content -LiteralPath a)[0]"),
    ],
    "unrolled-return": [
        (
            "function Get-It { return @(1) }\n$a = Get-It",
            "function Get-It { return @(1) }\n$a = @(Get-It)\nforeach ($b in Get-It) { $b }\nGet-It | Out-Null",
        )
    ],
    "ended-meanwhile": [
        (
            "if (-not $process.HasExited) { $process.Kill() }",
            "try { $process.Kill() } catch { [void]$_ }",
        ),
        (
            "@($home) | ForEach-Object { Invoke-CimMethod -InputObject $_ -MethodName GetOwnerSid }",
            "$o = Invoke-CimMethod -InputObject $home -MethodName GetOwnerSid -ErrorAction SilentlyContinue",
        ),
    ],
    "unrolled-json": [
        ("@(1) | ConvertTo-Json", "ConvertTo-Json -InputObject @(1)"),
        ("$a = @()\n$a | ConvertTo-Json", "$a = @{ b = @() }\n$a | ConvertTo-Json"),
    ],
    "unrolled-value": [
        (
            "@{ a = Get-Process | ForEach-Object { $_.Id } }",
            "@{ a = @(Get-Process | ForEach-Object { $_.Id }); b = Get-Date | Out-String }",
        )
    ],
    "property-of-nothing": [
        ("(Get-Service -Name a).Status", "$s = Get-Service -Name a\nif ($null -ne $s) { $s.Status }"),
        ("(Get-Item -LiteralPath a -ErrorAction SilentlyContinue).Length", "(Get-Item -LiteralPath a).Length"),
        ("(Get-Content -LiteralPath a -Raw | ConvertFrom-Json).b", "(Get-FileHash -LiteralPath a).Hash"),
    ],
    "null-on-the-right": [("if ($home -ne $null) { 1 }", "if ($null -ne $home) { 1 }")],
    "native-stderr": [
        ("& netsh.exe a 2>&1 | Out-Null", "& netsh.exe a | Out-Null"),
        ("& $home 2>$null", "Get-Process 2>$null"),
    ],
    "file-encoding": [
        ("'a' | Out-File -LiteralPath b", "[IO.File]::WriteAllText('b', 'a')"),
        ("& netsh.exe a > b.txt", "& netsh.exe a | Out-Null"),
    ],
}
CASES = [(rule, *pair) for rule, pairs in EXAMPLES.items() for pair in pairs]


def rules_of(text: str) -> set[str]:
    """Return the rules that refuse a script."""
    return {one.rule for one in check(Script("example", text.encode()))}


@pytest.mark.parametrize(
    ("rule", "bad", "good"), CASES, ids=[f"{case[0]}-{number}" for number, case in enumerate(CASES)]
)
def test_rule_sees_what_it_is_for(rule: str, bad: str, good: str) -> None:
    """The bad one breaks that rule alone, the good one none."""
    assert rules_of(bad) == {rule}
    assert rules_of(good) == set()


def test_each_rule_has_its_examples() -> None:
    """No rule is there that nothing shows working."""
    code = "".join((ROOT / "tools" / "powershell" / name).read_text() for name in ("rules.py", "traps.py"))
    named = {
        first or second for first, second in re.findall(r'finding\(\s*"([\w-]+)"|^ +"([a-z]+-[\w-]+)",$', code, re.M)
    }
    assert named == set(EXAMPLES)


@pytest.mark.parametrize("path", project_scripts(), ids=lambda path: path.stem)
def test_script_keeps_the_rules(path: Path) -> None:
    """Each script of the project, also one that was added a minute ago."""
    assert not [f"line {one.line}: {one.rule}: {one.message}" for one in check(script_of(path))]


def test_powershell_in_the_docs_keeps_the_rules() -> None:
    """What a page tells a reader to type; traps of strict mode are none there."""
    blocks = list(inline())
    assert {where.partition(":")[0] for where, _ in blocks} >= {"docs/windows.md"}
    assert not [f"{where}: {one.rule}: {one.message}" for where, script in blocks for one in check(script)]


def test_unlisted_cmdlet_says_where_to_add_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new script with a cmdlet that nobody has looked up: file, line, and the list's name."""
    script = tmp_path / "new.ps1"
    script.write_text("Set-StrictMode -Version 2\nRename-Computer -NewName a\n")
    assert main([str(script)]) == 1
    said = capsys.readouterr().out
    assert (
        f"new.ps1: line 2: unlisted-cmdlet: found Rename-Computer, which is not listed, expected only what {PLACE}"
        in said
    )
    assert f"Next: see that the name is right, and add it to {PLACE}" in said
    assert main([str(path) for path in project_scripts()]) == 0


def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return loaded


def test_list_says_since_when_and_from_where() -> None:
    """Each cmdlet's module has a build, a PowerShell no newer than 5.1, and a public source."""
    data = _data()
    for name, module in data["modules"].items():
        assert set(module) == {"name", "build", "powershell", "source"}, name
        assert tuple(map(int, module["powershell"].split("."))) <= (5, 1), name
    for name, entry in (data["modules"] | data["programs"]).items():
        assert entry["source"].startswith(("https://learn.microsoft.com/", "https://github.com/")), name
    assert {entry["module"] for entry in data["cmdlets"].values()} == set(data["modules"])
    assert all(
        set(entry) <= {"module", "parameters", "build", "newer", "nothing"} for entry in data["cmdlets"].values()
    )
    assert set(data["scripts"]) <= {path.stem for path in project_scripts()}


def test_single_parameter_may_be_newer_than_its_cmdlet() -> None:
    """Found on build 19045, not on the floor."""
    data = _data()
    data["cmdlets"]["Get-Item"]["newer"] = {"Filter": 19045}
    script = Script("example", b"Get-Item -Path a -Filter b\nGet-Item -Path a")
    assert [(one.rule, one.line) for one in check(script, known_from(data))] == [("too-new", 1)]
    data["floor"]["build"] = 19045
    assert not check(script, known_from(data))
