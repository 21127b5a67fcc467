# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A script as tree-sitter reads it: this parser flags some valid code (generic types with a backtick, nested ones)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

#: Words that the parser takes for commands at the top of a script.
KEYWORDS = {"begin", "process", "end", "param", "dynamicparam"}
_SCOPES = ("script:", "global:", "local:", "private:", "using:")


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


def name_of(variable: Node) -> str:
    """Return a variable's name without sign, braces and scope."""
    name = text_of(variable).lstrip("$@{").rstrip("}").casefold()
    for scope in _SCOPES:
        name = name.removeprefix(scope)
    return name


def peel(node: Node) -> Node:
    """Return what a chain of nodes with one child each ends in: the grammar wraps each value a dozen times."""
    while len(node.named_children) == 1 and node.type not in _STOP and len(node.children) == 1:
        node = node.named_children[0]
    return node


_STOP = {"array_expression", "parenthesized_expression", "command", "hash_literal_expression", "variable"}


def elements(pipeline: Node) -> list[Node]:
    """Return the elements of a pipeline, unwrapped."""
    chains = [child for child in pipeline.named_children if child.type == "pipeline_chain"]
    return [peel(item) for chain in chains for item in chain.named_children]


def commands(root: Node) -> Iterator[Node]:
    """Yield every command that is no word of the language."""
    for node in walk(root):
        if node.type == "command" and command_name(node).casefold() not in KEYWORDS:
            yield node


def command_name(command: Node) -> str:
    """Return what a command is called, "" when a variable says it."""
    for child in command.children:
        if child.type in ("command_name", "command_name_expr"):
            named = child if child.type == "command_name" else peel(child)
            return text_of(named).strip("'\"") if named.type in ("command_name", "generic_token") else ""
    return ""


def parameters(command: Node) -> list[str]:
    """Return the names of a command's parameters, as they are written."""
    given = [child for child in command.children if child.type == "command_elements"]
    return [
        text_of(item).lstrip("-").rstrip(":")
        for one in given
        for item in one.children
        if item.type == "command_parameter"
    ]


def splats(command: Node) -> list[str]:
    """Return the variables whose entries become parameters."""
    given = [child for child in command.children if child.type == "command_elements"]
    found = [node for one in given for child in one.children for node in [peel(child)] if node.type == "variable"]
    return [name_of(node) for node in found if text_of(node).startswith("@")]


def keys(table: Node) -> list[str]:
    """Return the keys of a hash table that are plain words."""
    return [
        text_of(node).strip("'\"")
        for entry in walk(table)
        if entry.type == "hash_entry" and _table_of(entry) == table
        for node in entry.children
        if node.type == "key_expression"
    ]


def _table_of(entry: Node) -> Node | None:
    node = entry.parent
    while node is not None and node.type != "hash_literal_expression":
        node = node.parent
    return node


@dataclass
class Script:
    """A script, and what the rules ask of it more than once."""

    name: str
    text: bytes
    fragment: bool = False  # a piece in the docs: not strict, and typed by a person
    root: Node = field(init=False)

    def __post_init__(self) -> None:
        self.root = parse(self.text)

    @cached_property
    def functions(self) -> dict[str, Node]:
        """The functions that it defines, by their names in small letters."""
        found = {}
        for node in walk(self.root):
            if node.type == "function_statement":
                names = [child for child in node.children if child.type == "function_name"]
                found[text_of(names[0]).casefold()] = node
        return found

    @cached_property
    def assignments(self) -> dict[str, list[tuple[str, Node]]]:
        """What each variable is set to: the operator and the value, in order."""
        found: dict[str, list[tuple[str, Node]]] = {}
        for node in walk(self.root):
            if node.type != "assignment_expression":
                continue
            left, value = node.named_children[0], node.named_children[-1]
            sign = next(text_of(child).strip() for child in node.children if child.type == "assignement_operator")
            targets = [item for item in walk(left) if item.type == "variable"]
            if len(targets) == 1 and not any(item.type in _PARTS for item in walk(left)):
                found.setdefault(name_of(targets[0]), []).append((sign, value))
        return found


_PARTS = {"member_access", "element_access"}
