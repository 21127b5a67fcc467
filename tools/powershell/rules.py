# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a script uses: cmdlets and parameters of the list, syntax and .NET members that Windows PowerShell 5.1 has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from tools.powershell.cmdlets import PLACE, Cmdlet, Known, known
from tools.powershell.tree import Script, command_name, commands, keys, name_of, parameters, splats, text_of, walk


@dataclass(frozen=True)
class Finding:
    """Something in a script that a rule refuses."""

    rule: str
    line: int
    message: str


def finding(rule: str, node: Node, found: str, expected: str, next_step: str) -> Finding:
    """Return a finding in the form that every message has."""
    return Finding(rule, node.start_point.row + 1, f"found {found}, expected {expected}. Next: {next_step}")


def cmdlets(script: Script, known: Known) -> Iterator[Finding]:
    """Refuse a command that is neither a function of the script nor in the list; an alias above all."""
    for node in commands(script.root):
        name = command_name(node)
        low = name.casefold()
        if not name or "\\" in name or "/" in name or name[0].isdigit():
            continue  # by a variable, a program by its path, or a range, which the parser takes for one
        if {low, f"{low}.exe"} & (known.programs | known.cmdlets.keys() | script.functions.keys()):
            continue
        if low in known.aliases:
            yield finding("alias", node, f"the alias {name}", "the cmdlet's own name", "write it out")
        else:
            yield finding(
                "unlisted-cmdlet",
                node,
                f"{name}, which is not listed",
                f"only what {PLACE} lists",
                f"see that the name is right, and add it to {PLACE}, with its module, Windows build and parameters",
            )


def _given(script: Script, node: Node) -> Iterator[str | None]:
    """Yield a command's parameters, those of a splatted hash table as well; None when these cannot be seen."""
    yield from parameters(node)
    for name in splats(node):
        values = [value for _, value in script.assignments.get(name, ())]
        tables = [item for value in values for item in walk(value) if item.type == "hash_literal_expression"]
        if not tables:
            yield None
        for table in tables[:1]:
            yield from keys(table)


def _missing(script: Script, node: Node, cmdlet: Cmdlet, known: Known) -> Iterator[Finding]:
    for given in _given(script, node):
        if given is None:
            yield finding(
                "unlisted-parameter", node, f"{cmdlet.name} with parameters that cannot be seen",
                "a hash table in the script", "write it as one",
            )  # fmt: skip
        elif given.casefold() not in cmdlet.parameters | known.common:
            yield finding(
                "unlisted-parameter",
                node,
                f"{cmdlet.name} -{given}, which is not listed",
                f"a parameter in full that {PLACE} lists",
                f"look it up at {cmdlet.source}, and add it to the cmdlet's entry in {PLACE}",
            )


def listed_parameters(script: Script, known: Known) -> Iterator[Finding]:
    """Refuse a parameter that the list does not have, and one that is cut short."""
    for node in commands(script.root):
        cmdlet = known.cmdlets.get(command_name(node).casefold())
        if cmdlet:
            yield from _missing(script, node, cmdlet, known)


def _asked_for(script: Script) -> set[str]:
    """Return the cmdlets that a script asks Get-Command about."""
    asking = [node for node in commands(script.root) if command_name(node).casefold() == "get-command"]
    return {word.casefold() for node in asking for word in re.findall(r"[A-Za-z]+-[A-Za-z]+", text_of(node))}


def age(script: Script, known: Known) -> Iterator[Finding]:
    """Refuse what is newer than the oldest Windows, where the script does not ask whether it is there."""
    asked, floor = _asked_for(script), known.scripts.get(script.name, known.floor)
    for node in commands(script.root):
        cmdlet = known.cmdlets.get(command_name(node).casefold())
        if cmdlet is None or cmdlet.name.casefold() in asked:
            continue
        given = [name.casefold() for name in _given(script, node) if name]
        build = max([cmdlet.build, *(cmdlet.newer.get(name, 0) for name in given)])
        if build > floor:
            yield finding(
                "too-new",
                node,
                f"{cmdlet.name} as Windows has it from build {build}",
                f"what build {floor} has",
                f"ask Get-Command -Name {cmdlet.name} first, or enter the script under `scripts` in {PLACE}",
            )


def _of_powershell_6(node: Node, known: Known) -> str:
    """Return what PowerShell 5.1 does not know in a node, "" for nothing."""
    text = text_of(node).strip()
    if node.type == "pipeline_chain_tail":
        return text[:2]
    if node.is_error and text.startswith("?"):
        return f"{text[:2]} (?:, ??, ?. or ?[])"
    pattern = {"comment": r"#requires\s+-version\s+[6-9]", "command": r"clean\s*\{"}.get(node.type)
    if node.type == "variable" and name_of(node) in known.variables:
        return text
    return text[:40] if pattern and re.match(pattern, text, re.IGNORECASE) else ""


def syntax(script: Script, known: Known) -> Iterator[Finding]:
    """Refuse the syntax and the variables of PowerShell 6 and later."""
    for node in walk(script.root):
        if found := _of_powershell_6(node, known):
            yield finding("powershell-6", node, found, "PowerShell 5.1", "say it with if, or with try and finally")


def _type(node: Node) -> str:
    types = [child for child in node.children if child.type == "type_literal"]
    return text_of(types[0]).strip("[]").rpartition(".")[2].casefold() if types else ""


def _arguments(node: Node) -> int:
    lists = [child for child in node.children if child.type == "argument_list"]
    inner = [child for one in lists for child in one.named_children]
    return sum(child.type == "argument_expression" for one in inner for child in one.named_children)


def members(script: Script, known: Known) -> Iterator[Finding]:
    """Refuse members of .NET that the Framework under Windows PowerShell does not have."""
    for node in walk(script.root):
        if node.type not in ("member_access", "invokation_expression"):
            continue
        names = [text_of(child) for child in node.children if child.type == "member_name"]
        entry = known.dotnet.get(names[0].casefold()) if names else None
        if entry is None or ("arguments" in entry and _arguments(node) != entry["arguments"]):
            continue
        if "type" in entry and _type(node) != entry["type"].casefold():
            continue
        yield finding("dotnet-core", node, names[0], "a member that .NET Framework 4.8 has", f"use {entry['instead']}")


USES = (cmdlets, listed_parameters, age, syntax, members)


def check(script: Script, listed: Known | None = None) -> list[Finding]:
    """Return everything that the rules refuse in a script, in its order; of a fragment, without the traps."""
    from tools.powershell.traps import TRAPS

    rules = USES if script.fragment else (*USES, *TRAPS)
    found = {one for rule in rules for one in rule(script, listed or known())}
    return sorted(found, key=lambda one: (one.line, one.rule, one.message))
