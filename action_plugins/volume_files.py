# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Render config volumes on the controller and hand them to the module: secrets never are in a variable."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase, VariableLayer

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.secrets.connection_log import passwords_on_host
from ready.secrets.inventory_store import open_store, packed_files, rendered_files
from ready.secrets.secrets_file import SecretsError
from ready.stack.gateway_files import overlap_ends
from ready.stack.render import fingerprints
from ready.stack.resolved import containers  # Ansible offers module_utils to modules alone


class ActionModule(ActionBase):
    """See library/volume_files.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Render, then run the module on the target."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "create": {"type": "list", "elements": "dict", "default": []},
                "services": {"type": "list", "elements": "str", "required": True},
                "keep": {"type": "list", "elements": "str", "default": []},
                "reload": {"type": "list", "elements": "str", "default": []},
                "images": {"type": "dict", "required": True},
            }
        )
        try:
            if not self._task.check_mode:
                self._begin_overlaps(args["stack"], args["services"], task_vars)
            files = packed_files(task_vars, self._templar.template, args["stack"], args["services"])
        except SecretsError as error:
            raise AnsibleActionFail(f"{task_vars['inventory_hostname']}: {error}") from error
        result.update(
            self._execute_module(module_name="volume_files", module_args={**args, "files": files}, task_vars=task_vars)
        )
        return result

    def _begin_overlaps(self, stack: dict[str, Any], names: list[str], task_vars: dict[str, Any]) -> None:
        """Let replaced keys be valid from now on, where a gateway takes the new ones over only now.

        A rotation may have saved them long before: it was interrupted, or much was to do.
        """
        everything = containers(stack)
        gateways = {everything[name].get("of", name): name for name in names if "fronts" in everything[name]}
        if not gateways:
            return
        store = open_store(task_vars, self._templar.template)
        mine = {name: stack["services"][name] for name in gateways if store.previous(stack["name"], name)}
        held = passwords_on_host(self, {**stack, "services": mine}, task_vars) if mine else {}
        begun = [name for name in mine if store.take_over(stack["name"], name, held.get(name, {}), int(time.time()))]
        if begun:
            store.save()
        for name in begun:
            its = everything[gateways[name]]
            its |= fingerprints(its, rendered_files(store, stack, gateways[name]))
        ends = overlap_ends(stack, {name: store.rotated(stack["name"], name) for name in mine})
        facts: dict[str, Any] = {"ready_key_ends": {**task_vars.get("ready_key_ends", {}), **ends}}
        if begun:  # else what comes next compares the host with fingerprints of before
            facts["ready_stack"] = stack
        self.register_host_variables(facts, VariableLayer.EPHEMERAL_FACT)
