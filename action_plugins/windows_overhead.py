# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure what the path from Windows to the services costs over the one in the distro."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))

from ready.common.plain import plain  # noqa: E402  # Ansible offers module_utils to modules alone
from ready.windows import network_measurement, path_overhead, return_path  # noqa: E402
from ready.windows.script_action import run_script  # noqa: E402

INSIDE = ROOT / "scripts" / "linux" / "distro_latency.py"


class ActionModule(ActionBase):
    """See library/windows_overhead.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Measure on Windows, then in the distro and in the containers' network, then compare."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "distribution": {"type": "str", "required": True},
                "backend": {"type": "str", "required": True},
                "samples": {"type": "int", "default": 50},
                "back": {"type": "list", "elements": "int", "default": []},
            }
        )
        host = str(task_vars["inventory_hostname"])
        stack, samples, script = plain(args["stack"]), args["samples"], INSIDE.read_bytes()
        parameters = {"Targets": network_measurement.targets(stack), "Samples": samples}
        outside = run_script(self, task_vars, id="latency", parameters=parameters)
        orders = network_measurement.orders(stack, samples, plain(args["back"]), args["backend"], script)
        words = ["-d", args["distribution"], "-u", "root", "--cd", "/", "--exec", "/usr/bin/python3", "-", orders]
        stdin = base64.b64encode(script).decode()
        parameters = {"Program": "wsl", "Arguments": words, "Stdin": stdin, "Timeout": 120}
        purpose = "measurement inside of the distro"
        inside = run_script(self, task_vars, id="native_run", purpose=purpose, parameters=parameters)
        result.update(changed=False)
        if "result" not in inside:
            return result | {"skipped_in_check_mode": True}
        if inside["fault"]:
            raise AnsibleActionFail(inside["fault"])
        found = network_measurement.found(plain(outside["result"]), plain(inside["result"]))
        return result | {
            "overhead": found,
            "rows": path_overhead.rows(found),
            "back_rows": return_path.rows(found["back"]),
            "fault": network_measurement.fault(found, host),
        }
