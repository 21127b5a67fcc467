# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Traps of strict mode and of Windows PowerShell 5.1, by patterns: they show only with the wrong number of things."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from tools.powershell.cmdlets import Known
from tools.powershell.rules import Finding, finding
from tools.powershell.tree import Script, command_name, commands, elements, name_of, parameters, peel, text_of, walk

#: Cmdlets that give nothing, one thing or several, by what comes in.
_STREAMS = {"foreach-object", "where-object", "sort-object"}
#: Variables of PowerShell that are collections always.
_COLLECTIONS = {"args", "matches", "input", "psboundparameters", "_"}


def _is_collection(node: Node) -> bool:
    """Return whether a value is one that has Count, however many things are in it."""
    node = peel(node)
    if node.type in ("array_expression", "hash_literal_expression"):
        return True
    if node.type == "command":
        return command_name(node).casefold() == "new-object"
    if node.type == "array_literal_expression":
        return len(node.named_children) > 1
    if node.type in ("expression_with_unary_operator", "cast_expression"):
        kind = text_of(node).lstrip()
        return kind.startswith(("[ordered]", "[pscustomobject]")) or re.match(r"\[[\w.]+\[\]\]", kind) is not None
    return node.type == "invokation_expression" and text_of(node).startswith("[") and "::new(" in text_of(node)


def _array_parameters(script: Script) -> set[str]:
    found = set()
    for node in walk(script.root):
        if node.type == "script_parameter":
            names = [child for child in node.children if child.type == "variable"]
            types = [item for item in walk(node) if item.type in ("array_type_name", "type_identifier")]
            if names and any(item.type == "array_type_name" or text_of(item).lower() == "hashtable" for item in types):
                found.add(name_of(names[0]))
    return found


def _sure(script: Script, name: str) -> bool:
    """Return whether a variable is a collection whatever happens: each value that it is given is one."""
    if name in _COLLECTIONS or name in _array_parameters(script):
        return True
    values = [value for sign, value in script.assignments.get(name, ()) if sign == "="]
    return bool(values) and all(_is_collection(value) for value in values)


def _member(node: Node) -> str:
    names = [child for child in node.children if child.type == "member_name"]
    return text_of(names[0]).casefold() if names else ""


def count_on_null(script: Script, _known: Known) -> Iterator[Finding]:
    """Refuse `.Count` of what may be nothing or one thing: strict mode ends the script there."""
    for node in walk(script.root):
        if node.type != "member_access" or _member(node) != "count":
            continue
        base = peel(node.named_children[0])
        if base.type == "variable" and _sure(script, name_of(base)):
            continue
        if base.type in ("parenthesized_expression", "variable", "element_access"):
            yield finding("count-on-null", node, text_of(node), "Count of an array that is one always",
                          "put @( ) around where the value comes from")  # fmt: skip


def _from_pipeline(script: Script, base: Node) -> bool:
    if base.type == "parenthesized_expression":
        return any(item.type == "command" for item in walk(base))
    if base.type != "variable" or _sure(script, name_of(base)):
        return False
    parts = [elements(value) for sign, value in script.assignments.get(name_of(base), ()) if sign == "="]
    return any(len(one) > 1 or (one and one[0].type == "command") for one in parts)


def index_of_pipeline(script: Script, _known: Known) -> Iterator[Finding]:
    """Refuse `[0]` of a pipeline's result: of one text it is the first letter, of nothing an error."""
    for node in walk(script.root):
        if node.type == "element_access" and _from_pipeline(script, peel(node.named_children[0])):
            yield finding("index-of-pipeline", node, text_of(node), "an index into an array that is one always",
                          "put @( ) around where the value comes from")  # fmt: skip


def _returns_array(function: Node) -> bool:
    return any(
        node.type == "flow_control_statement" and re.match(r"return\s*@\(", text_of(node), re.IGNORECASE)
        for node in walk(function)
    )


def _is_wrapped(node: Node) -> bool:
    """Return whether a call's result goes somewhere that does not mind how many things it is."""
    parent = node.parent
    while parent is not None and parent.type not in ("array_expression", "foreach_statement"):
        if parent.type == "pipeline" and len(elements(parent)) > 1:
            return True
        if parent.type in ("assignment_expression", "hash_entry", "member_access", "element_access", "argument_list"):
            return False
        if parent.type in ("command_elements", "if_statement", "while_statement"):
            return False
        if parent.type == "statement_list" and (parent.parent is None or parent.parent.type != "array_expression"):
            return True
        parent = parent.parent
    return True


def unrolled_return(script: Script, _known: Known) -> Iterator[Finding]:
    """Refuse the bare result of a function that returns @( ): one thing comes back as itself, none as $null."""
    arrays = {name for name, node in script.functions.items() if _returns_array(node)}
    for node in commands(script.root):
        if command_name(node).casefold() in arrays and not _is_wrapped(node):
            yield finding("unrolled-return", node, text_of(node), f"@({text_of(node)})", "put @( ) around the call")


def _pipelines(script: Script) -> Iterator[tuple[Node, list[Node]]]:
    for node in walk(script.root):
        if node.type == "pipeline":
            yield node, elements(node)


def unrolled_json(script: Script, _known: Known) -> Iterator[Finding]:
    """Refuse an array that is piped into ConvertTo-Json: one element loses its brackets, none gives no text."""
    for node, parts in _pipelines(script):
        if len(parts) < 2 or parts[-1].type != "command" or command_name(parts[-1]).casefold() != "convertto-json":
            continue
        first, values = parts[0], script.assignments.get(name_of(parts[0]), ())
        arrays = [peel(value).type == "array_expression" for sign, value in values if sign == "="]
        if first.type == "array_expression" or (first.type == "variable" and arrays and all(arrays)):
            yield finding("unrolled-json", node, text_of(node), "ConvertTo-Json -InputObject @( )", "do not pipe it")


def unrolled_value(script: Script, _known: Known) -> Iterator[Finding]:
    """Refuse a pipeline as an entry of a result: of one thing no array is left in the JSON."""
    for entry in walk(script.root):
        if entry.type != "hash_entry":
            continue
        for child in entry.named_children:
            parts = elements(child) if child.type == "pipeline" else []
            last = parts[-1] if parts else None
            if len(parts) > 1 and last and last.type == "command" and command_name(last).casefold() in _STREAMS:
                yield finding("unrolled-value", entry, text_of(entry)[:80], "an array always", "put @( ) around it")


def property_of_nothing(script: Script, known: Known) -> Iterator[Finding]:
    """Refuse a property of what may be nothing: in strict mode $null has none, and an object without it throws."""
    for node in walk(script.root):
        if node.type not in ("member_access", "invokation_expression") or not node.named_children:
            continue
        base = peel(node.named_children[0])
        if base.type != "parenthesized_expression" or _member(node) == "count":
            continue
        calls = [part for child in base.named_children for part in elements(child)]
        if not calls or calls[-1].type != "command":
            continue
        cmdlet = known.cmdlets.get(command_name(calls[-1]).casefold())
        quiet = [name.casefold() for name in parameters(calls[-1])]
        if (cmdlet and cmdlet.nothing) or "erroraction" in quiet:
            yield finding("property-of-nothing", node, text_of(node)[:80], "a property of something that is there",
                          "keep the result in a variable and compare it with $null first")  # fmt: skip


def null_on_the_right(script: Script, _known: Known) -> Iterator[Finding]:
    """Refuse `$x -eq $null`: of an array it gives elements, and an empty one is taken for no null."""
    for node in walk(script.root):
        operators = [child for child in node.children if child.type == "comparison_operator"]
        if operators and re.fullmatch(r"-[ic]?(eq|ne)", text_of(operators[0]).strip(), re.IGNORECASE):
            right = peel(node.named_children[-1])
            if right.type == "variable" and name_of(right) == "null":
                yield finding("null-on-the-right", node, text_of(node), "$null on the left", "turn the two round")


def native_stderr(script: Script, known: Known) -> Iterator[Finding]:
    """Refuse redirecting a program's stderr: with ErrorActionPreference Stop its first line there ends the script."""
    for node in walk(script.root):
        if node.type != "command":
            continue
        name = command_name(node).casefold()
        if name in known.cmdlets or name in script.functions or not re.search(r"\s2>", text_of(node)):
            continue
        yield finding("native-stderr", node, text_of(node)[:80], "no 2> behind a program",
                      "start it by Diagnostics.ProcessStartInfo and read both streams")  # fmt: skip


def file_encoding(script: Script, _known: Known) -> Iterator[Finding]:
    """Refuse what writes text files: > and Out-File give UTF-16, -Encoding utf8 a byte order mark."""
    for node in commands(script.root):
        redirected = any(item.type == "file_redirection_operator" for item in walk(node))
        if redirected or command_name(node).casefold() in ("out-file", "set-content", "add-content"):
            yield finding("file-encoding", node, text_of(node)[:80], "UTF-8 without a mark",
                          "write it by [IO.File]::WriteAllText")  # fmt: skip


def _in_try(node: Node) -> bool:
    parent = node.parent
    while parent is not None and parent.type != "try_statement":
        parent = parent.parent
    return parent is not None


def ended_meanwhile(script: Script, _known: Known) -> Iterator[Finding]:
    """Refuse a call on a process that may have ended since it was looked at: it throws, and a loop ends there."""
    for node in walk(script.root):
        kills = node.type == "invokation_expression" and _member(node) == "kill"
        asks = node.type == "command" and command_name(node).casefold() == "invoke-cimmethod"
        quiet = asks and "erroraction" in [name.casefold() for name in parameters(node)]
        if (kills or asks) and not quiet and not _in_try(node):
            yield finding("ended-meanwhile", node, text_of(node)[:80], "a call that may find the process ended",
                          "put try { } catch { } around it, or -ErrorAction SilentlyContinue")  # fmt: skip


TRAPS = (
    count_on_null,
    index_of_pipeline,
    unrolled_return,
    unrolled_json,
    unrolled_value,
    property_of_nothing,
    null_on_the_right,
    native_stderr,
    file_encoding,
    ended_meanwhile,
)
