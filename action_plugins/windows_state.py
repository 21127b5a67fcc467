# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read the state of a Windows host and make it the host's variable `ready_windows`."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase, VariableLayer

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))

from ready.common.plain import plain  # noqa: E402  # Ansible offers module_utils to modules alone
from ready.stack import schema  # noqa: E402
from ready.windows import host_variable, stack_ports  # noqa: E402
from ready.windows.script_action import run_script  # noqa: E402

INSIDE = ROOT / "scripts" / "linux" / "distro_state.sh"


class ActionModule(ActionBase):
    """See library/windows_state.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read, compare with the schema, register."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "distribution": {"type": "str", "required": True},
                "location": {"type": "str", "required": True},
                "user": {"type": "str", "required": True},
                "backend": {"type": "str", "required": True},
                "inside": {"type": "str", "choices": ["start", "running", "never"], "required": True},
                "ca_thumbprints": {"type": "list", "elements": "str", "default": []},
                "timeout": {"type": "int", "required": True},
            }
        )
        inside = "running" if self._task.check_mode and args["inside"] == "start" else args["inside"]
        parameters = {
            "Distribution": args["distribution"],
            "Location": args["location"],
            "Inside": inside,
            "InsideScript": base64.b64encode(INSIDE.read_bytes()).decode(),
            "Ports": [item["port"] for item in stack_ports.published_ports(args["stack"])],
            "CaThumbprints": [text.upper().replace(" ", "") for text in args["ca_thumbprints"]],
            "Timeout": args["timeout"],
        }
        read = run_script(self, task_vars, id="windows_state", parameters=plain(parameters))
        state = plain(read["result"])
        if messages := schema.faults(state, "windows_state.schema.json"):
            raise AnsibleActionFail(
                f"the state is not what scripts/windows/windows_state.ps1 promises: {'; '.join(messages[:3])}. "
                "Next: ./ready diagnose, and send what it prints",
                result={"result": state},
            )
        found = host_variable.facts(
            {**read, "result": state},
            host=str(task_vars["inventory_hostname"]),
            distribution=args["distribution"],
            location=args["location"],
            user=args["user"],
            backend=args["backend"],
        )
        self.register_host_variables({"ready_windows": found}, VariableLayer.EPHEMERAL_FACT)
        result.update(changed=False, result=state)
        return result
