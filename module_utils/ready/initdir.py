# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`./ready init DIR`: an inventory outside the clone. Runs on the controller."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from .specs import ROOT

VARIABLES = """\
---
# What is said here overrides services/*.yml and the roles' defaults; docs/roles/ has every variable.
ready_evidence_dir: "{{ inventory_dir | dirname }}/evidence"

# stack_name: ready
# ready_services: [postgresql, neo4j, chromadb, redis]
# ready_tls: true
# postgresql_port: 15432
# postgresql_memory: 2g
# postgresql_settings: {max_connections: 200}
"""
IGNORED = "/evidence/\n"


def main(argv: Sequence[str]) -> int:
    """Make DIR/inventory from an example; an existing one is never touched."""
    parser = argparse.ArgumentParser(
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
    private = shutil.ignore_patterns("host_vars", "*lock*")
    shutil.copytree(ROOT / "inventories" / arguments.example, inventory, ignore=private)
    variables = inventory / "group_vars" / "all" / "ready.yml"
    variables.parent.mkdir(parents=True, exist_ok=True)
    variables.write_text(VARIABLES, encoding="utf-8")
    ignore = arguments.directory / ".gitignore"
    if not ignore.exists():
        ignore.write_text(IGNORED, encoding="utf-8")
    print(f"{inventory} made. Next: look at {variables}, then ./ready up -i {inventory}")
    return 0
