# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The launcher's second half: `./ready VERB` runs playbooks/<verb>.yml. Runs on the controller."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .specs import ROOT, verb_specs

#: Verbs that are not a playbook, because they do nothing to a stack.
LOCAL_VERBS = {
    "init": "Make an inventory outside the clone",
    "test": "Run what proves Ready: lint, unit tests, images, Molecule scenarios, faults; --all for everything",
}


def option_name(variable: str) -> str:
    """Return the option of a variable: ready_stage -> stage, image_source -> image-source."""
    return variable.removeprefix("ready_").replace("_", "-")


def verb_name(playbook: str) -> str:
    """Return the words of a playbook's name: images_lock -> "images lock"."""
    return playbook.replace("_", " ")


def overview() -> str:
    """Return the list of verbs, a line each."""
    verbs = {verb_name(name): spec["short_description"] for name, spec in verb_specs().items()} | LOCAL_VERBS
    width = max(map(len, verbs))
    lines = [f"  {name:<{width}}  {text}" for name, text in sorted(verbs.items())]
    return "\n".join(
        [
            f"Ready {__version__}: from nothing to a production stack that is proven ready.",
            "",
            "usage: ./ready VERB [--option value …] [-- ansible-playbook options]",
            "       ./ready VERB --help says what it does, changes and leaves behind",
            "",
            *lines,
        ]
    )


def _paragraphs(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "\n\n".join(text)


def _parser(playbook: str, spec: Mapping[str, Any]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"./ready {verb_name(playbook)}",
        description=f"{spec['short_description']}.\n\n{_paragraphs(spec['description'])}",
        epilog=f"More: docs/verbs/{playbook.partition('_')[0]}.md. What follows -- goes to ansible-playbook as it is.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-i", "--inventory", help="inventory (default: inventories/local, this machine)")
    parser.add_argument("-l", "--limit", help="only these hosts of the inventory")
    parser.add_argument("--check", action="store_true", help="say what would change, change nothing")
    parser.add_argument("--diff", action="store_true", help="show differences (never those of secrets)")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="more from Ansible; -vvv for debugging")
    for variable, option in spec.get("options", {}).items():
        text = _paragraphs(option["description"]).replace("%", "%%")  # argparse formats help texts with %
        if option["type"] == "bool":
            parser.add_argument(
                f"--{option_name(variable)}", dest=variable, action="store_true", default=None, help=text
            )
        elif option["type"] == "list":
            parser.add_argument(
                f"--{option_name(variable)}",
                dest=variable,
                metavar="A[,B]",
                help=text,
                action="extend",
                type=lambda value: value.split(","),
            )
        else:
            kind = {"int": int, "float": float}.get(option["type"], str)
            parser.add_argument(
                f"--{option_name(variable)}", dest=variable, help=text, type=kind, choices=option.get("choices")
            )
    return parser


def find_verb(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the playbook that the first one or two words name, and the rest of the words."""
    playbooks = verb_specs()
    for count in (2, 1):
        name = "_".join(words[:count])
        if len(words) >= count and name in playbooks:
            return name, list(words[count:])
    return None, list(words)


def _needs_sudo_password() -> bool:
    if os.geteuid() == 0 or not sys.stdin.isatty():
        return False
    return subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode != 0  # noqa: S607


def run_verb(playbook: str, words: Sequence[str]) -> int:
    """Run one playbook and return its exit code; what it writes to `ready_output` goes to standard output."""
    spec = verb_specs()[playbook]
    ours, passed = list(words), []
    if "--" in ours:
        cut = ours.index("--")
        ours, passed = ours[:cut], ours[cut + 1 :]
    arguments = vars(_parser(playbook, spec).parse_args(ours))
    variables = {name: arguments[name] for name in spec.get("options", {}) if arguments[name] is not None}
    command = ["ansible-playbook", str((ROOT / "playbooks" / f"{playbook}.yml").relative_to(Path.cwd(), walk_up=True))]
    for option in ("inventory", "limit"):
        if arguments[option]:
            command += [f"--{option}", arguments[option]]
    command += [f"--{option}" for option in ("check", "diff") if arguments[option]]
    if arguments["verbose"]:
        command.append("-" + "v" * arguments["verbose"])
    if _needs_sudo_password():
        command.append("--ask-become-pass")
    prints = "ready_output" in spec.get("options", {}) and "ready_output" not in variables
    with tempfile.TemporaryDirectory(prefix="ready-") as directory:
        output = Path(directory) / "output"
        shown = [*command, *(["-e", json.dumps(variables)] if variables else []), *passed]
        print(f"ready: {shlex.join(shown)}", file=sys.stderr, flush=True)
        if prints:
            variables["ready_output"] = str(output)
        command += ["-e", json.dumps(variables)] if variables else []
        # A verb that prints a result keeps standard output for it: `./ready env > .env`.
        process = subprocess.Popen([*command, *passed], stdout=sys.stderr if prints else None)  # noqa: S603
        code = _wait(process)
        if prints and output.exists():
            sys.stdout.write(output.read_text(encoding="utf-8"))
    return code


def _wait(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # Ansible got it too, and ends in its own time
            continue


def main(argv: Sequence[str] | None = None) -> int:
    """Run the launcher and return the exit code: 0, ansible-playbook's own, or 64 for a wrong call."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in {"-h", "--help", "help"}:
        print(overview())
        return 0
    if words[0] == "init":
        from .initdir import main as init  # each verb loads what it needs

        return init(words[1:])
    if words[0] == "test":
        runner = [sys.executable, "-m", "tools.testing", *words[1:]]
        return _wait(subprocess.Popen(runner, cwd=ROOT))  # noqa: S603
    playbook, rest = find_verb(words)
    if playbook is None:
        print(f"ready: no verb {' '.join(words[:2])!r}; ./ready lists them.", file=sys.stderr)
        return 64
    return run_verb(playbook, rest)
