# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Take, break or give back a stack's lock, as the ansible-playbook run that this is."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.host.run_lock import Holder, holder_text, is_alive, this_run  # Ansible offers module_utils to modules alone


class ActionModule(ActionBase):
    """See library/stack_lock.py."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the module, and take over from a run that has ended."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "str", "required": True},
                "state": {"type": "str", "choices": ["held", "free"], "default": "held"},
                "replace": {"type": "dict"},
                "take_over": {"type": "bool", "default": False},
            }
        )
        args = {name: value for name, value in args.items() if value is not None}
        run = this_run(os.getppid())  # a worker asks for ansible-playbook

        def ask(replace: dict[str, Any] | None = None) -> dict[str, Any]:
            module_args = {**args, "run": asdict(run), **({"replace": replace} if replace else {})}
            answer: dict[str, Any] = self._execute_module("stack_lock", module_args=module_args, task_vars=task_vars)
            return answer

        answer = ask()
        if (found := answer.get("holder")) and not is_alive(Holder(**found), run):
            answer = ask(replace=found)
        if found := answer.get("holder"):
            answer["words"] = holder_text(Holder(**found))
            if not args["take_over"]:
                raise AnsibleActionFail(
                    f"{task_vars['inventory_hostname']}: another run is changing the stack {args['stack']}: found its "
                    f"lock held by {answer['words']}; expected no other run. Nothing was changed. Next: wait for it to "
                    "end, then run this again; if it has ended for certain, run this again with --take-over"
                )
        result.update(answer)
        return result
