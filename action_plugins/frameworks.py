# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hand the example application, and the keys of services elsewhere, to the module of the same name."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.applications.frameworks import PARTS, judge  # Ansible offers module_utils to modules alone
from ready.applications.frameworks_run import USER
from ready.common.plain import plain
from ready.common.verdict import FAIL
from ready.docker.jobs import tar
from ready.secrets.inventory_store import packed_external
from ready.secrets.secrets_file import SecretsError
from ready.testapp.source import read

APPLICATION = Path(__file__).resolve().parent.parent / "examples" / "catalogue"


class ActionModule(ActionBase):
    """See library/frameworks.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Pack, then run the module on the target."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "image": {"type": "str", "required": True},
                "only": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
                "time_limit": {"type": "float", "default": 600.0},
                "tokens": {"type": "int", "default": 20000},
            }
        )
        host = task_vars["inventory_hostname"]
        try:
            args["external"] = packed_external(task_vars, self._templar.template, args["stack"])
        except SecretsError as error:
            raise AnsibleActionFail(f"{host}: {error}") from error
        args["application"] = base64.b64encode(tar(read(APPLICATION).files, USER)).decode()
        result.update(self._execute_module("frameworks", module_args=args, task_vars=task_vars))
        if result.get("failed") and result.get("msg"):
            result["msg"] = f"{host}: {result['msg']}"
        if "found" in result:
            judged = judge(plain(result), args["only"])
            failed = [name for name, found in judged.results.items() if found.get("verdict") == FAIL]
            result["report"] = {**judged.as_data(), "failed": failed}
        return result
