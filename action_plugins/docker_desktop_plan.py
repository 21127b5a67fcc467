# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what role docker_desktop has to do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.windows import role_plans  # Ansible offers module_utils to modules alone
from ready.windows.role_arguments import role_arguments

SPEC: dict[str, dict[str, Any]] = {
    "windows": {"type": "dict", "required": True},
    "version": {"type": "str", "default": ""},
    "build": {"type": "str", "default": ""},
    "source": {"type": "str", "default": ""},
    "sha256": {"type": "str", "default": ""},
    "accept_license": {"type": "bool", "default": False},
    "accept_bad_version": {"type": "bool", "default": False},
    "allow_restart": {"type": "bool", "default": False},
    "start": {"type": "bool", "default": True},
    "settings": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):
    """See library/docker_desktop_plan.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Compare."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = role_arguments(self, SPEC, "docker_desktop", str((task_vars or {})["inventory_hostname"]))
        plan = role_plans.docker_desktop_plan(args.pop("windows"), **args)
        return result | {"changed": False, "plan": plan}
