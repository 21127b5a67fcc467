# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run playbooks/<verb>.yml for `./ready VERB`. Runs on the controller, started by the script `ready`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .. import __version__
from ..common.paths import ROOT
from ..common.verbs import find, misspelt, verb_name
from ..stack.argument_specs import verb_specs
from . import variable_files
from .ansible_settings import INVENTORY, ansible_environment
from .commands import call_environment, redacted_arguments, shell_quoted
from .options import parser_of, refuse, split_at_verb, suggestion, typed_values, value_faults
from .outputs import PRINTED, warn_of_readable_output

#: Verbs that are not a playbook, because they do nothing to a stack.
LOCAL_VERBS = {
    "init": "Make an inventory outside the clone",
    "test": "Run what proves Ready: lint, unit tests, images, Molecule scenarios, faults; --all for everything",
}
#: Verbs that print secrets whatever their options.
PRINT_SECRETS = {"backup_key", "secrets_show"}
#: The exit code of a run that Ctrl-C ended, as of every program that a signal ends.
INTERRUPTED = 128 + signal.SIGINT
#: Seconds that a run has to end by itself after Ctrl-C, before it gets the signal again, then harder ones.
PATIENCE = 15.0


def overview() -> str:
    """Return the list of verbs, a line each."""
    verbs = {verb_name(name): spec["short_description"] for name, spec in verb_specs().items()} | LOCAL_VERBS
    width = max(map(len, verbs))
    lines = [f"  {name:<{width}}  {text}" for name, text in sorted(verbs.items())]
    return "\n".join(
        [
            f"Ready {__version__}: from nothing to a production stack that is proven ready.",
            "",
            "usage: ./ready VERB [WORD …] [--option value …] [-- ansible-playbook options]",
            "       ./ready VERB --help says what it does, changes and leaves behind",
            "",
            *lines,
        ]
    )


def _refuse_verb(words: Sequence[str]) -> NoReturn:
    verbs = [*map(verb_name, verb_specs()), *LOCAL_VERBS]
    if longer := [verb for verb in verbs if verb.startswith(f"{words[0]} ")]:
        refuse([f"found the verb {' '.join(words[:2])!r}, expected one of {', '.join(longer)}"], "./ready lists them")
    refuse(
        [f"no verb {words[0]!r}{suggestion(' '.join(words[:2]), verbs) or suggestion(words[0], verbs)}"],
        "./ready lists them",
    )


def _needs_sudo_password() -> bool:
    if os.geteuid() == 0 or not sys.stdin.isatty():
        return False
    return subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode != 0  # noqa: S607


def run_verb(playbook: str, words: Sequence[str]) -> int:
    """Run one playbook and return its exit code; what it writes to `ready_output` goes to standard output."""
    spec = verb_specs()[playbook]
    options = spec.get("options", {})
    ours, passed = list(words), []
    if "--" in ours:
        cut = ours.index("--")
        ours, passed = ours[:cut], ours[cut + 1 :]
    arguments = parser_of(playbook, spec).parse(ours)
    if wrong := list(value_faults(options, arguments)):
        refuse(wrong, f"./ready {verb_name(playbook)} --help")
    surrounding = ansible_environment()
    by_default = os.environ.get(INVENTORY) or surrounding.get(INVENTORY, "")
    inventories = arguments["inventory"] or list(filter(None, by_default.split(",")))
    files = [*variable_files.extra_vars_files(passed), *variable_files.inventory_files(inventories)]
    if slips := variable_files.syntax_faults(files):
        refuse(slips, "correct it and run again")
    variables = typed_values(options, arguments)
    if arguments["failed"] and not _limit_to_failed(playbook, arguments, inventories, variables, passed):
        return 0
    command = ["ansible-playbook", str((ROOT / "playbooks" / f"{playbook}.yml").relative_to(Path.cwd(), walk_up=True))]
    for inventory in arguments["inventory"] or ():
        command += ["--inventory", inventory]
    if arguments["limit"]:
        command += ["--limit", arguments["limit"]]
    command += [f"--{option}" for option in ("check", "diff") if arguments[option]]
    if arguments["verbose"]:
        command.append("-" + "v" * arguments["verbose"])
    named = ["--stack-name", variables["stack_name"]] if variables.get("stack_name") else []
    given = call_environment([*command[2:], *named, *passed])
    if _needs_sudo_password():
        command.append("--ask-become-pass")
    prints = "ready_output" in options and "ready_output" not in variables
    with tempfile.TemporaryDirectory(prefix="ready-") as directory:
        output = Path(directory) / "output"
        shown = [*command, *(["-e", json.dumps(variables)] if variables else []), *redacted_arguments(passed)]
        print(f"ready: {shell_quoted(shown)}", file=sys.stderr, flush=True)
        if prints:
            variables["ready_output"] = given[PRINTED] = str(output)
        command += ["-e", json.dumps(variables)] if variables else []
        # A verb that prints a result keeps standard output for it: `./ready env > .env`.
        environ = os.environ | surrounding | given
        code = _run([*command, *passed], stdout=sys.stderr if prints else None, env=environ)
        if code == 1:  # Ansible's own error; what is wrong with a host ends with 2 or 4
            print(f"ready: Ansible ended by the error above. Next: {_remedy(arguments)}", file=sys.stderr)
        if prints and output.exists():
            sys.stdout.write(output.read_text(encoding="utf-8"))
            if variables.get("ready_secrets") or playbook in PRINT_SECRETS:
                sys.stderr.write(warn_of_readable_output(sys.stdout))
    return code


def _limit_to_failed(
    playbook: str,
    arguments: dict[str, Any],
    inventories: Sequence[str],
    variables: Mapping[str, Any],
    passed: Sequence[str],
) -> bool:
    """Make --limit of --failed; return False when there is nobody to run the verb for."""
    from . import failed_hosts  # most calls go without

    verb = verb_name(playbook)
    if arguments["limit"]:
        refuse(["found --failed and --limit, expected one of them"], f"./ready {verb} --help")
    try:
        directory = variables.get("ready_evidence_dir")
        arguments["limit"] = failed_hosts.limit_to_failed_hosts(inventories, directory, passed)
    except failed_hosts.FailedHostsError as error:
        usual = f"./ready {verb} with --limit, or ./ready fleet, which leaves the summary"
        refuse([f"--failed: {error}"], error.step or usual)
    if not arguments["limit"]:
        print(f"ready: no host failed or was away in the last run. Next: ./ready {verb} runs for all", file=sys.stderr)
    return bool(arguments["limit"])


def _remedy(arguments: Mapping[str, Any]) -> str:
    if not arguments["limit"]:
        return "correct what it names"
    program = os.path.relpath(Path(sys.executable).with_name("ansible-inventory"))
    sources = [word for path in arguments["inventory"] or () for word in ("-i", path)]
    return f"correct what it names; {shell_quoted([program, *sources, '--graph'])} shows what --limit can name"


def _run(command: Sequence[str], **more: Any) -> int:
    """Run a command to its end and return its exit code; INTERRUPTED after Ctrl-C, unless it was done all the same."""
    interrupted: list[int] = []
    started: list[subprocess.Popen[bytes]] = []
    harder = iter((signal.SIGINT, signal.SIGTERM))

    def note(number: int, _: object) -> None:
        # The command gets the signal as well, and has a while to end by itself.
        interrupted.append(number)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)

    def insist(_: int, __: object) -> None:
        for process in started:
            process.send_signal(next(harder, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)

    before = {signal.SIGINT: signal.signal(signal.SIGINT, note), signal.SIGALRM: signal.signal(signal.SIGALRM, insist)}
    try:
        started.append(subprocess.Popen(command, **more))  # noqa: S603
        code = started[0].wait()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
    return INTERRUPTED if interrupted and code else code


def main(argv: Sequence[str] | None = None) -> int:
    """Run the launcher and return the exit code: 0, ansible-playbook's own, 64 for a wrong call, 130 for Ctrl-C."""
    given, words = split_at_verb(list(sys.argv[1:] if argv is None else argv))
    if "--version" in given:
        print(f"Ready {__version__}")
        return 0
    asks = words[:1] == ["help"]
    if asks or {"-h", "--help"} & {*given}:
        given, words = [], [*words[asks:], "--help"]
    if given and not words:
        refuse([f"found no verb after {' '.join(given)}"], "./ready lists them")
    if not words or words == ["--help"]:
        print(overview())
        return 0
    given_as, verb = misspelt(words, verb_specs())
    if verb:  # also of `test app`, which is nothing that the test runner knows
        refuse([f"no verb {given_as!r}; did you mean {verb}?"], "./ready lists them")
    if words[0] in LOCAL_VERBS and given:
        refuse([f"found {given[0]} before {words[0]}, expected none"], f"./ready {words[0]} --help")
    if words[0] == "init":
        from .init import main as init  # each verb loads what it needs

        return init(words[1:])
    if words[0] == "test":
        runner = [sys.executable, "-m", "tools.testing", *words[1:]]
        return _run(runner, cwd=ROOT)
    playbook, count = find(words, verb_specs())
    if playbook is None:
        _refuse_verb(words)
    return run_verb(playbook, [*given, *words[count:]])
