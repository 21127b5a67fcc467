# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The last of the inventory plugins: what reaches it none of the others could read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import yaml
from ansible import constants as C  # noqa: N812 - as Ansible's own code calls it
from ansible import context
from ansible.errors import AnsibleFileNotFound, AnsibleOptionsError
from ansible.inventory.data import InventoryData
from ansible.parsing.vault import AnsibleVaultError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.plugins.loader import inventory_loader
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.cli import inventory_values  # Ansible offers module_utils to modules alone
from ready.cli.options import WRONG_CALL
from ready.cli.variable_files import syntax_fault

DOCUMENTATION = r"""
name: ready_unread
short_description: End the run at a source of the inventory that can't be read
description:
  - Ansible warns of such a source and continues without its hosts, so that a verb does nothing for them and succeeds.
  - Says file, line and column, and never the text, which may be a password.
requirements: [the last one of C(enable_plugins) in C(ansible.cfg)]
"""


class InventoryModule(BaseInventoryPlugin):
    """See DOCUMENTATION."""

    NAME = "ready_unread"

    def verify_file(self, path: str) -> bool:
        """Take everything."""
        return True

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """End the run, but for a file that says nothing: comments alone, say."""
        try:
            load_extra_vars(loader)  # every plugin does, and none can without: a good source is blamed for it
        except Exception as error:
            found, step = _extra_reason(error)
            message = f"ready: -e: found {found}. Nothing was changed. Next: {step}"
        else:
            if _empty(path):
                return
            found, step = _reason(path, loader)
            message = f"ready: The inventory: found {found}. Nothing was changed. Next: {step}"
        Display().display(message, color=C.COLOR_ERROR, stderr=True)
        raise SystemExit(WRONG_CALL)


def _extra_reason(error: Exception) -> tuple[str, str]:
    """Return what was found in `-e` and expected, and the next step; nothing of its text."""
    files = [value for value in context.CLIARGS.get("extra_vars", ()) if value.startswith("@")]
    if isinstance(error, AnsibleFileNotFound):
        return f"no file {error.file_name}; expected variables in it", "correct the path after @"
    if isinstance(error.__cause__, OSError):
        return f"a file that can't be read among {', '.join(files)}; expected variables", "correct the path after @"
    if isinstance(error, AnsibleVaultError):
        return (
            f"encrypted variables in {', '.join(files)}; expected a password that opens them",
            inventory_values.VAULT_STEP,
        )
    origin = getattr(error, "obj", None)
    if path := getattr(origin, "path", None):
        return f"a fault in line {getattr(origin, 'line_num', '?')} of {path}; expected YAML", f"correct {path}"
    if isinstance(error, AnsibleOptionsError):
        return "a value that gives no variables; expected NAME=VALUE, {…} or @FILE", "correct it"
    return "a value that can't be read, such as one with an open quote; expected NAME=VALUE, {…} or @FILE", "correct it"


def _empty(path: str) -> bool:
    try:
        data = Path(path).read_bytes()
        return not data.startswith(b"#!") and yaml.safe_load(data) is None
    except (OSError, ValueError, yaml.YAMLError):
        return False


def _reason(path: str, loader: Any) -> tuple[str, str]:
    """Return what was found and expected, and the next step."""
    if not os.path.exists(path):
        return f"nothing at {path}; expected hosts and groups", "./ready init DIR makes an inventory"
    if os.access(path, os.X_OK):
        return f"that the program {path} gave no inventory; expected JSON", f"run {path} --list by hand"
    correct = f"correct {path}"
    if not path.endswith((".yml", ".yaml", ".json")):
        return f"{path}, which can't be read; expected hosts and groups as YAML or INI", correct
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        return f"{path}, which can't be read ({error.strerror}); expected YAML", correct
    if fault := syntax_fault(data):
        place = f" in{fault[0]}" if fault[0] else ""
        return f"a fault{place} of {path}: {fault[1]}; expected YAML", correct
    try:
        top = loader.load_from_file(path, cache="none")
        if isinstance(top, list):
            return (
                f"a list in {path}, as in a playbook; expected hosts and groups",
                "keep what is no source in another directory",
            )
        name = "auto" if isinstance(top, dict) and top.get("plugin") else "yaml"
        inventory_loader.get(name).parse(InventoryData(), loader, path, cache=False)
    except Exception as error:  # whatever a plugin raises; of a fault of YAML nothing is left
        if how := inventory_values.locked(str(error)):
            return f"{path} {how}; expected the one that opens it", inventory_values.VAULT_STEP
        reason = str(error).removeprefix(f"{path}: ")
    else:
        reason = "no plugin takes it"
    why, _, step = reason.partition(" Next: ")
    return f"{path}, which can't be used: {why.rstrip('.')}", step.rstrip(".") or correct
