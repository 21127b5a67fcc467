# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write what `diagnose` has found of all Windows hosts of the play."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.cli.outputs import OutputError, write_document  # Ansible offers module_utils to modules alone
from ready.common.plain import plain
from ready.windows.report import report


class ActionModule(ActionBase):
    """See library/windows_report.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Put together, write; in check mode too, since this is what was asked for."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "hosts": {"type": "list", "elements": "str", "required": True},
                "output": {"type": "path", "required": True},
            }
        )
        found = plain(report((task_vars or {})["hostvars"], args["hosts"]))
        try:
            write_document(Path(args["output"]), json.dumps(found, indent=2) + "\n")
        except OutputError as error:
            raise AnsibleActionFail(str(error)) from error
        return result | {"changed": False}
