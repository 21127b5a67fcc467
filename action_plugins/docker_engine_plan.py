# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide what role docker_engine has to do on a host, and refuse what needs manual work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.host.daemon_json import DaemonJsonError
from ready.host.engine_proxy import ProxyError
from ready.host.engine_setup import setup_plan

NEXT = "Nothing was changed. Next: correct it, then run again"


class ActionModule(ActionBase):
    """See library/docker_engine_plan.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Plan, by what was read of the host."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "facts": {"type": "dict", "required": True},
                "packages": {"type": "list", "elements": "str", "required": True},
                "daemon_options": {"type": "dict", "default": {}},
                "log_max_size": {"type": "str", "required": True},
                "log_max_file": {"type": "int", "required": True},
                "proxy": {"type": "str", "default": "", "no_log": True},
                "no_proxy": {"type": "str", "default": ""},
                "backend": {"type": "str", "default": ""},
            }
        )
        host = str((task_vars or {})["inventory_hostname"])
        try:
            plan = setup_plan(
                plain(args["facts"]),
                wanted=plain(args["packages"]),
                options=plain(args["daemon_options"]),
                **{key: args[key] for key in ("log_max_size", "log_max_file", "proxy", "no_proxy", "backend")},
            )
        except DaemonJsonError as error:
            raise AnsibleActionFail(f"{host}: /etc/docker/daemon.json: found {error}. {NEXT}") from None
        except ProxyError as error:
            raise AnsibleActionFail(f"{host}: docker_engine_proxy: found that {error}. {NEXT}") from None
        if plan["action"] == "refuse":
            raise AnsibleActionFail(f"{host}: Docker: {plan['message']}.")
        return result | {"changed": False, **plan}
