# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make an inventory outside the clone: `./ready init DIR`. Runs on the controller."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ..common.paths import ROOT
from ..stack.argument_specs import role_specs
from .commands import CALLED_AS_VARIABLE, launcher_command
from .options import Parser, refuse

VARIABLES = """\
---
# What is said here overrides services/*.yml and the roles' defaults; docs/roles/ has every variable.
ready_evidence_dir: "{{ inventory_dir | dirname }}/evidence"

# stack_name: ready
# ready_services: [@services@]
# ready_tls: true
# postgresql_port: 15432
# postgresql_memory: 2g
# postgresql_settings: {max_connections: 200}
"""
IGNORED = "/evidence/\n"
VARIABLES_FILE = Path("group_vars", "all", "ready.yml")


def _make(directory: Path, example: str) -> None:
    inventory = directory / "inventory"
    private = shutil.ignore_patterns("host_vars", "*lock*")
    shutil.copytree(ROOT / "inventories" / example, inventory, ignore=private)
    variables = inventory / VARIABLES_FILE
    variables.parent.mkdir(parents=True, exist_ok=True)
    services = role_specs()["stack"]["main"]["options"]["ready_services"]["default"]
    variables.write_text(VARIABLES.replace("@services@", ", ".join(services)), encoding="utf-8")
    ignore = directory / ".gitignore"
    if not ignore.exists():
        ignore.write_text(IGNORED, encoding="utf-8")


def _next_step(inventory: Path, example: str, command: str) -> str:
    """Return what follows: the stack, or for Windows hosts, which need more than that, the test of their connection."""
    option = f"-i {shlex.quote(str(inventory))}"
    if example == "windows":
        hosts, page = inventory / "hosts.yml", ROOT / "docs" / "windows.md"
        return f"name your PCs in {hosts}, follow {page}, then {command} windows ping {option}"
    return f"look at {inventory / VARIABLES_FILE}, then {command} up {option}"


def main(argv: Sequence[str]) -> int:
    """Make DIR/inventory from an example; an existing one is never touched."""
    parser = Parser(
        prog="./ready init",
        description="Make an inventory outside the clone: DIR/inventory (hosts and variables; secrets and the image "
        "lock will be kept beside them, encrypted and reviewed) and DIR/evidence. Nothing that exists is changed.",
    )
    kinds = sorted(path.name for path in (ROOT / "inventories").iterdir() if path.is_dir())
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument(
        "--example", choices=kinds, default="local", help="the inventory to start from (default: local)"
    )
    arguments = parser.parse_args(argv)
    inventory = arguments.directory / "inventory"
    if inventory.exists():
        print(f"ready: {inventory} exists already; nothing was changed.", file=sys.stderr)
        return 1
    try:
        _make(arguments.directory, arguments.example)
    except (OSError, shutil.Error) as error:
        reason = getattr(error, "strerror", None) or error
        refuse([f"{arguments.directory}: {reason}"], "name a directory that you may make or write")
    command = launcher_command(os.environ.get(CALLED_AS_VARIABLE, ""), Path.cwd())
    print(f"{inventory} made. Next: {_next_step(inventory, arguments.example, command)}")
    return 0
