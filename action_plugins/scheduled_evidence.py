# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Leave evidence of runs by timer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.plain import plain
from ready.evidence import document as evidence  # Ansible offers module_utils to modules alone
from ready.evidence.scheduled import evidence_of


class ActionModule(ActionBase):
    """See library/scheduled_evidence.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check each outcome, write what is evidence, and warn of the rest: it keeps no verb from its work."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        host = str((task_vars or {})["inventory_hostname"])
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "outcomes": {"type": "list", "elements": "dict", "required": True},
            }
        )
        stack, directory = str(args["stack"]["name"]), Path(args["stack"]["evidence_dir"]).absolute()
        written, warnings = list[str](), list[str]()
        for outcome in plain(args["outcomes"]):
            document = evidence_of(outcome, stack, host)
            if faults := evidence.check(document):
                name = outcome.get("name", "run")
                warnings.append(f"{host}: the outcome of the {name} by timer is no evidence: {'; '.join(faults)}")
                continue
            written.append(f"{outcome['name']}: {document['verdict']}")
            try:
                if not self._task.check_mode:
                    evidence.write(directory, document)
            except evidence.EvidenceError as error:
                raise AnsibleActionFail(f"{host}: no evidence of {outcome['name']} was written: {error}") from error
        return result | {"changed": False, "written": written, "warnings": warnings}
