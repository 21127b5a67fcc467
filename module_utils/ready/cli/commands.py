# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Complete the commands in messages with what the call was given, so that they can be pasted. Runs on the controller.

Whoever writes "Next: ./ready up" knows neither how the launcher was called nor for which inventory.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..common.paths import ROOT
from ..common.verbs import find, verb_name
from ..stack.argument_specs import role_specs, verb_specs
from .options import option_label

#: How the launcher hands the arguments to what it starts: a JSON list, already without secrets.
ARGUMENTS_VARIABLE = "READY_GIVEN"
#: How the launcher itself was called.
CALLED_AS_VARIABLE = "READY_CALLED"
HIDDEN = "…"
#: Options of ansible-playbook without which the next command does not get where this one got; none can hold a secret.
_WITH_VALUE = {
    "user": ("-u", "--user"),
    "key": ("--private-key", "--key-file"),
    "become_user": ("--become-user",),
    "become_method": ("--become-method",),
    "connection": ("-c", "--connection"),
}
_REPEATED = {
    "password_file": ("--vault-password-file", "--vault-pass-file"),
    "vault_id": ("--vault-id",),
}
_FLAGS = {
    "ask_become": ("-K", "--ask-become-pass"),
    "ask_connection": ("-k", "--ask-pass"),
    "ask_vault": ("-J", "--ask-vault-password", "--ask-vault-pass"),
    "become": ("-b", "--become"),
}
#: Texts that can hold no secret; any other text may be an address with a password in it.
_PLAIN = {"stack_name", "ready_services", "backup_time", "backup_set", "docker_backend", "image_source"}
_PLAIN_ENDS = ("_memory", "_bind_address", "_tag", "_version", "_shm_size")
_WORDS = re.compile(r"\./ready((?: [a-z]+(?:-[a-z]+)*){1,2})")
#: A word after a verb that is surely the command's and not the sentence's: an option follows it.
_PLACE = re.compile(r" [^\s;,()`'\"-][^\s;,()`'\"]*(?= --?[a-z])")


@cache
def _options() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    points = [point for role in role_specs().values() for point in role.values()]
    for point in (*points, *verb_specs().values()):
        for name, option in point.get("options", {}).items():
            found.setdefault(name, []).append(option)
    return found


def _is(kind: str, value: Any) -> bool:
    text = str(value).lower()
    if kind == "bool":
        return text in {"true", "false", "yes", "no", "on", "off", "0", "1"}
    return re.fullmatch(r"-?\d+" if kind == "int" else r"-?\d+(\.\d+)?", text) is not None


def may_be_shown(name: str, value: Any) -> bool:
    """Return whether a variable's value can hold no secret: one of Ready's own, and of a kind that has none."""
    for option in _options().get(name, ()):
        if option.get("no_log"):
            return False
        if name in _PLAIN or name.endswith(_PLAIN_ENDS) or option["type"] == "path":
            return isinstance(value, (str, int, float, list))
        if value in (option.get("choices") or ()):
            return True
        if option["type"] in {"bool", "int", "float"}:
            return _is(option["type"], value)
    return False


def _variables(text: str) -> str:
    """Return an argument of -e as it may be shown; what can't be read as variables is hidden."""
    if text.startswith("@"):
        return text
    values: list[tuple[Any, Any]]
    try:
        if text.lstrip().startswith(("{", "[")):
            loaded = yaml.safe_load(text)
            values = list(loaded.items()) if isinstance(loaded, Mapping) else []
        else:
            values = [(name, value) for name, _, value in (word.partition("=") for word in shlex.split(text))]
    except (yaml.YAMLError, ValueError):
        return HIDDEN
    return text if values and all(may_be_shown(str(name), value) for name, value in values) else HIDDEN


def extra_vars_argument(word: str) -> tuple[str, str | None]:
    """Return an argument of ansible-playbook that gives variables as option and value; the option is "" for any other.

    The value is None where it is the next argument. argparse takes any beginning of --extra-vars, and -e behind flags.
    """
    name, equals, value = word.partition("=")
    if name.startswith("--e") and "--extra-vars".startswith(name):
        return f"{name}{equals}", value if equals else None
    match = re.fullmatch(r"(-[bCDhJkKv]*e=?)(.*)", word, re.DOTALL)
    return (match[1], match[2] or None) if match else ("", None)


class _Reader(argparse.ArgumentParser):
    def error(self, message: str) -> Any:  # ansible-playbook says what is wrong with its arguments
        raise ValueError(message)


def _reader() -> _Reader:
    reader = _Reader(add_help=False, allow_abbrev=False)
    reader.add_argument("-i", "--inventory", "--inventory-file", action="append", default=[])
    reader.add_argument("-l", "--limit")
    reader.add_argument("--stack-name")
    reader.add_argument("-e", "--extra-vars", action="append", default=[])
    for name, options in _WITH_VALUE.items():
        reader.add_argument(*options, dest=name)
    for name, options in _REPEATED.items():
        reader.add_argument(*options, dest=name, action="append", default=[])
    for name, options in _FLAGS.items():
        reader.add_argument(*options, dest=name, action="store_true")
    return reader


def _plain(word: str) -> list[str]:
    """Return an argument that gives variables in its long form, flags before it each on their own."""
    option, value = extra_vars_argument(word)
    if not option:
        return [word]
    flags = [] if option.startswith("--") else [f"-{letter}" for letter in option.rstrip("=")[1:-1]]
    return [*flags, "--extra-vars" if value is None else f"--extra-vars={value}"]


def repeated_arguments(words: Sequence[str]) -> list[str]:
    """Return what a next command needs of a call's arguments, as words that may be shown.

    Args:
        words: arguments of the launcher or of ansible-playbook. Those of one run alone are left out.
    """
    try:
        found, _ = _reader().parse_known_args([each for word in words if word != "--" for each in _plain(word)])
    except ValueError:
        return []
    ours = [word for path in found.inventory for word in ("-i", path)]
    ours += ["-l", found.limit] if found.limit else []
    ours += ["--stack-name", found.stack_name] if found.stack_name else []
    passed = [word for text in found.extra_vars for word in ("-e", _variables(text))]
    for name, options in _WITH_VALUE.items():
        value = getattr(found, name)
        passed += [options[0], value] if value else []
    for name, options in _REPEATED.items():
        passed += [word for value in getattr(found, name) for word in (options[0], value)]
    passed += [options[0] for name, options in _FLAGS.items() if getattr(found, name)]
    return [*ours, *(["--", *passed] if passed else [])]


def vault_arguments(words: Sequence[str]) -> list[str]:
    """Return the arguments of ansible-playbook that say where vault passwords are; none that asks for one."""
    try:
        found, _ = _reader().parse_known_args([each for word in words for each in _plain(word)])
    except ValueError:
        return []
    return [
        word
        for name, options in _REPEATED.items()
        for value in getattr(found, name)
        if not value.endswith("@prompt")
        for word in (options[0], value)
    ]


def redacted_arguments(words: Sequence[str]) -> list[str]:
    """Return arguments of ansible-playbook as they may be shown: variables that may hold a secret are not."""
    shown: list[str] = []
    follows = False
    for word in words:
        option, value = extra_vars_argument(word)
        if follows:
            shown.append(_variables(word))
        elif option and value is not None:
            shown.append(f"{option}{_variables(value)}")
        else:
            shown.append(word)
        follows = bool(option) and value is None and not follows
    return shown


def launcher_command(called: str, directory: Path | None) -> str:
    """Return the command that starts the launcher from a directory.

    Args:
        called: what the shell had for it; "" when it was not started by the launcher.
        directory: where the shell is; None if that is gone.
    """
    if directory == ROOT:
        return "./ready"
    if "/" in called and directory and (directory / called).resolve() == ROOT / "ready":
        return shlex.quote(called)
    found = shutil.which(called) if called and "/" not in called else None
    return shlex.quote(called if found and Path(found).resolve() == ROOT / "ready" else str(ROOT / "ready"))


def shell_quoted(words: Sequence[str]) -> str:
    """Return words as a shell reads them; what is hidden stays a mark."""
    return " ".join(word if word == HIDDEN else shlex.quote(word) for word in words)


def _end(text: str, start: int, options: Mapping[str, Mapping[str, Any]]) -> int:
    """Return where a command's own words and options end that begin at `start`."""
    kinds = {option_label(name, its): its["type"] for name, its in options.items()}
    places = sum("positional" in its for its in options.values())
    kinds |= {"--check": "bool", "--diff": "bool", "--help": "bool", "--limit": "str", "-i": "str"}
    while True:
        if places and (place := _PLACE.match(text, start)):
            start, places = place.end(), places - 1
        match = re.match(r" (--?[a-z-]+)", text[start:])
        if match is None or match[1] not in kinds:
            break
        start += match.end()
        if kinds[match[1]] != "bool" and (value := re.match(r" [^\s;,()`'\"]*[^\s;,()`'\".:]", text[start:])):
            start += value.end()
    return start


def complete_commands(text: str, words: Sequence[str], command: str) -> str:
    """Return a message whose commands of the launcher have what this call was given.

    Args:
        text: the message; its commands are written as ./ready VERB --option.
        words: see `repeated_arguments`.
        command: see `launcher_command`.
    """
    if "./ready " not in text or (not words and command == "./ready"):
        return text
    cut = list(words).index("--") if "--" in words else len(words)
    ours, passed = list(words[:cut]), list(words[cut:])
    verbs = verb_specs()
    done, position = "", 0
    while match := _WORDS.search(text, position):
        verb, _ = find(match[1].split(), verbs)
        end = match.end() if verb is None else match.start() + len(f"./ready {verb_name(verb)}")
        if verb is None or re.match(r"\w", text[end:]):
            end = match.start() + len("./ready")
            done += text[position : match.start()] + command
            position = end
            continue
        options = verbs[verb].get("options", {})
        stop = _end(text, end, options)
        own = text[end:stop].split()
        pairs = [ours[at : at + 2] for at in range(0, len(ours), 2)]
        added = [
            word
            for pair in pairs
            if pair[0] not in own
            and not (pair[0] == "-l" and "--limit" in own)
            and not (pair[0] == "--stack-name" and "stack_name" not in options)
            for word in pair
        ]
        more = shell_quoted([*added, *passed]) if "-i" not in own else ""
        done += text[position : match.start()] + command + text[match.start() + len("./ready") : stop]
        done += f" {more}" if more else ""
        position = stop
    return done + text[position:]


def call_environment(words: Sequence[str]) -> dict[str, str]:
    """Return what the launcher adds to the environment of ansible-playbook, for `complete_for_this_call`."""
    return {ARGUMENTS_VARIABLE: json.dumps(repeated_arguments(words))}


@cache
def _call() -> tuple[list[str], str]:
    words = (
        json.loads(os.environ[ARGUMENTS_VARIABLE])
        if os.environ.get(ARGUMENTS_VARIABLE)
        else repeated_arguments(sys.argv[1:])
    )
    try:
        directory: Path | None = Path.cwd()
    except FileNotFoundError:
        directory = None
    return words, launcher_command(os.environ.get(CALLED_AS_VARIABLE, ""), directory)


def complete_for_this_call(text: str) -> str:
    """Return a message as `complete_commands` makes it for the call that this process belongs to."""
    return complete_commands(text, *_call()) if "./ready " in text else text
