# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what role wsl2 has to do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))

from ready.common.checksum import sha256_of  # noqa: E402
from ready.common.plain import plain  # Ansible offers module_utils to modules alone  # noqa: E402
from ready.windows import keepalive, role_plans  # noqa: E402

SCRIPTS = ROOT / "scripts" / "windows"


class ActionModule(ActionBase):
    """See library/wsl2_plan.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Compare, with the fingerprint of the script that the task runs."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "windows": {"type": "dict", "required": True},
                "msi_version": {"type": "str", "default": ""},
                "msi_source": {"type": "str", "default": ""},
                "msi_sha256": {"type": "str", "default": ""},
                "rootfs_source": {"type": "str", "default": ""},
                "rootfs_sha256": {"type": "str", "default": ""},
                "adopt": {"type": "bool", "default": False},
                "allow_reboot": {"type": "bool", "default": False},
                "allow_shutdown": {"type": "bool", "default": False},
                "config": {"type": "dict", "default": {}},
                "conf": {"type": "dict", "default": {}},
                "proxy": {"type": "str", "default": "", "no_log": True},
                "no_proxy": {"type": "str", "default": ""},
                "keepalive": {"type": "bool", "default": True},
                "needed_by": {"type": "list", "elements": "str", "default": []},
                "disk_limit": {"type": "str", "default": ""},
                "password_given": {"type": "bool", "default": False},
            }
        )
        windows, options = plain(args.pop("windows")), plain(args)
        options["script_sha256"] = sha256_of(SCRIPTS / keepalive.KEEPALIVE_SCRIPT)
        try:
            plan = role_plans.wsl_plan(windows, **options)
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        return result | {"changed": False, "plan": plan}
