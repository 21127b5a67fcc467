# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a verb's options from its spec, and check them before anything runs. Runs on the controller."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..common.spelling import closest
from ..common.verbs import page_of, verb_name
from .bounds import bound_faults, path_fault

#: The exit code of a wrong call: EX_USAGE of sysexits.h.
WRONG_CALL = 64


def option_name(variable: str) -> str:
    """Return the option of a variable: ready_stage -> stage, image_source -> image-source."""
    return variable.removeprefix("ready_").replace("_", "-")


def option_label(variable: str, option: Mapping[str, Any]) -> str:
    """Return what the user calls an option: --samples, or PATH of one that is given as a word without a name."""
    name = option_name(variable)
    return name.upper() if option.get("positional") else f"--{name}"


def refuse(messages: Iterable[str], next_step: str) -> NoReturn:
    """End the launcher: nothing has run yet."""
    for message in messages:
        print(f"ready: {message}", file=sys.stderr)
    print(f"Nothing was changed. Next: {next_step}", file=sys.stderr)
    raise SystemExit(WRONG_CALL)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean …?" for a word that is nearly a known one, else nothing."""
    close = closest(word, known)
    return f"; did you mean {close}?" if close else ""


class Parser(argparse.ArgumentParser):
    """argparse, with one line for what is wrong, and what was probably meant."""

    def error(self, message: str) -> NoReturn:
        """End the launcher."""
        refuse([message.removeprefix("argument ")], f"{self.prog} --help")

    def parse(self, words: Sequence[str]) -> dict[str, Any]:
        """Return the arguments by name; end the launcher where a word is none. Words and options may be mixed."""
        places = [str(action.metavar) for action in self._get_positional_actions()]
        for word in words:  # before argparse misses the place that such an option was meant to fill
            if (place := word.partition("=")[0].removeprefix("--").upper()) in places and word.startswith("--"):
                self._refuse_option(word, f"; {place} is given without it")
        known, strange = self.parse_known_intermixed_args(list(words))
        for word in strange:
            if word.startswith("-"):
                self._refuse_option(word, suggestion(word.partition("=")[0], self._option_string_actions))
        if strange:
            after = " ".join([self.prog, *places])
            refuse([f"found the word {strange[0]!r} after {after}, expected none"], f"{self.prog} --help")
        return vars(known)

    def _refuse_option(self, word: str, hint: str) -> NoReturn:
        option = word.partition("=")[0]
        refuse([f"no option {option} of {self.prog}{hint}"], f"{self.prog} --help; ansible-playbook's go after --")


def add_globals(parser: argparse.ArgumentParser) -> None:
    """Add what every verb takes; these may stand before the verb as well."""
    parser.add_argument(
        "-i",
        "--inventory",
        action="append",
        help="inventory (default: inventories/local, this machine); may be given several times",
    )
    parser.add_argument("-l", "--limit", help="only these hosts of the inventory")
    parser.add_argument(
        "--failed", action="store_true", help="only hosts that failed or were away in the last run: see ./ready fleet"
    )
    parser.add_argument("--check", action="store_true", help="say what would change, change nothing")
    parser.add_argument("--diff", action="store_true", help="show differences (never those of secrets)")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="more from Ansible; -vvv for debugging")


def split_at_verb(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the options that stand before the verb, and the rest of the words."""
    count = 0
    while count < len(words) and words[count].startswith("-") and words[count] != "--":
        takes_value = words[count] in {"-i", "--inventory", "-l", "--limit"}
        count += 2 if takes_value else 1
    return list(words[:count]), list(words[count:])


def _paragraphs(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "\n\n".join(text)


def parser_of(playbook: str, spec: Mapping[str, Any]) -> Parser:
    """Return the parser of a verb. Values stay text: `value_faults` says what is wrong with them."""
    parser = Parser(
        prog=f"./ready {verb_name(playbook)}",
        description=f"{spec['short_description']}.\n\n{_paragraphs(spec['description'])}",
        epilog=f"More: docs/verbs/{page_of(playbook)}.md. What follows -- goes to ansible-playbook as it is.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # --vol for --volumes is no way to lose data
    )
    add_globals(parser)
    for variable, option in spec.get("options", {}).items():
        text = _paragraphs(option["description"])
        if "minimum" in option:
            text += f" From {option['minimum']} to {option['maximum']}."
        if option.get("positional") and "choices" in option:
            text += f" One of {', '.join(option['choices'])}."
        text = text.replace("%", "%%")  # argparse formats help texts with %
        flag, more = option_label(variable, option), {"dest": variable, "help": text}
        if option.get("positional"):
            parser.add_argument(variable, metavar=flag, nargs=None if option.get("required") else "?", help=text)
        elif option["type"] == "bool":
            parser.add_argument(flag, action="store_true", default=None, **more)
        elif option["type"] == "list":
            parser.add_argument(flag, metavar="A[,B]", action="extend", type=lambda value: value.split(","), **more)
        else:
            choices = option.get("choices")
            metavar = f"{{{','.join(choices)}}}" if choices else option_name(variable).upper()
            parser.add_argument(flag, metavar=metavar, required=option.get("required", False), **more)
    return parser


def value_faults(options: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the values that were given: every one of them, not the first alone."""
    for variable, option in options.items():
        if (value := arguments[variable]) is None or option["type"] == "bool":
            continue
        name = option_label(variable, option)
        if (other := option.get("with")) and arguments[other] is None:
            yield f"{name}: found it without {option_label(other, options[other])}, expected both"
        if "" in (value if isinstance(value, list) else [value]):
            yield f"{name}: found nothing, expected a value"
        else:
            yield from bound_faults(name, option, value)
    for name in ("inventory", "limit"):
        given = arguments[name]
        if given == "" or (isinstance(given, list) and "" in given):  # a variable of the shell that is not set
            yield f"--{name}: found nothing, expected a value"
    for inventory in filter(None, arguments["inventory"] or ()):
        if "," not in inventory and (fault := path_fault(Path(inventory).expanduser(), "read")):
            yield f"--inventory: found {fault}; ./ready init DIR makes one"


def _number(kind: str, value: str) -> str | float:
    return int(value) if kind == "int" else float(value) if kind == "float" else value


def typed_values(options: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return variable -> value of what was given, numbers as numbers, for ansible-playbook."""
    given = {name: arguments[name] for name in options if arguments[name] is not None}
    for name, value in given.items():
        kind = options[name].get("elements", options[name]["type"])
        given[name] = [_number(kind, item) for item in value] if isinstance(value, list) else _number(kind, value)
    return given
