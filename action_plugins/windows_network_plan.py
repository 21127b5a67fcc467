# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what role windows_network has to do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))

# Ansible offers module_utils to modules alone.
from ready.common.checksum import sha256_of  # noqa: E402
from ready.windows import portproxy_task, role_plans  # noqa: E402
from ready.windows.role_arguments import role_arguments  # noqa: E402

SCRIPTS = ROOT / "scripts" / "windows"
SPEC: dict[str, dict[str, Any]] = {
    "windows": {"type": "dict", "required": True},
    "stack": {"type": "dict", "required": True},
    "allow": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "port": {"type": "int", "required": True},
            "remote": {"type": "list", "elements": "str", "required": True},
            "native": {"type": "bool", "default": False},
        },
    },
    "mode": {"type": "str", "choices": ["nat", "mirrored"], "default": "nat"},
    "config": {"type": "dict", "default": {}},
    "follow": {"type": "bool", "default": True},
    "public": {"type": "bool", "default": False},
    "password_given": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """See library/windows_network_plan.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Compare, with the fingerprint of the script that the task runs."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = role_arguments(self, SPEC, "windows_network", str((task_vars or {})["inventory_hostname"]))
        windows, stack = args.pop("windows"), args.pop("stack")
        args["script_sha256"] = sha256_of(SCRIPTS / portproxy_task.FOLLOW_SCRIPT)
        return result | {"changed": False, "plan": role_plans.network_plan(windows, stack, **args)}
