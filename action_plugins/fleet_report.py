# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say how every machine of the inventory stands, from all evidence."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain
from ready.evidence import document as evidence  # Ansible offers module_utils to modules alone
from ready.evidence import fleet, requirements
from ready.evidence.machines import inventory_machines


class ActionModule(ActionBase):
    """See library/fleet_report.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read, evaluate, write."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "hosts": {"type": "list", "elements": "str", "required": True},
                "shown": {"type": "list", "elements": "str"},
            }
        )
        hosts, shown = plain(args["hosts"]), args["shown"]
        try:
            found = inventory_machines((task_vars or {})["hostvars"], hosts)
            summary = fleet.write(
                found, requirements.load(), datetime.now(timezone.utc), keep=not self._task.check_mode, shown=shown
            )
        except evidence.EvidenceError as error:
            raise AnsibleActionFail(f"the summary of the fleet was not written: {error}") from error
        result.update(changed=False, **summary)
        return result
