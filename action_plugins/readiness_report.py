# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Evaluate a stack's evidence and leave the readiness report."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.clock import timestamp
from ready.common.files import write_text
from ready.common.plain import plain
from ready.evidence import document as evidence  # Ansible offers module_utils to modules alone
from ready.evidence import readiness, report, requirements
from ready.evidence.machines import application_path
from ready.secrets.inventory_store import windows_hosts_of_distros
from ready.stack.schema import load_library

load_library()


class ActionModule(ActionBase):
    """See library/readiness_report.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read, evaluate, write."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "str", "required": True},
                "directory": {"type": "path", "required": True},
                "hosts": {"type": "list", "elements": "str", "required": True},
                "application": {"type": "dict", "default": {}},
                "waivers": {
                    "type": "list",
                    "elements": "dict",
                    "default": [],
                    "options": {
                        "id": {"type": "str", "required": True},
                        "reason": {"type": "str", "required": True},
                        "until": {"type": "str", "required": True},
                    },
                },
            }
        )
        directory, stack = Path(args["directory"]).absolute(), args["stack"]
        now = datetime.now(timezone.utc)
        found = evidence.read_all(directory, stack)
        verdict, results = readiness.evaluate(
            requirements.load(),
            found,
            directory,
            plain(args["hosts"]),
            now,
            application_path(args["application"]),
            args["waivers"],
            windows_hosts_of_distros((task_vars or {}).get("hostvars", {}), args["hosts"]),
        )
        document = evidence.make("readiness", stack, evidence.ALL_HOSTS, verdict, results, timestamp(now))
        try:
            path = evidence.path_of(directory, stack, evidence.ALL_HOSTS, "readiness")
            page = path.with_suffix(".html")
            if messages := evidence.check(document):
                raise evidence.EvidenceError("; ".join(messages))
            if not self._task.check_mode:
                evidence.write(directory, document)
                write_text(page, report.page(document, evidence.read(path).sha256))
        except (evidence.EvidenceError, OSError) as error:
            raise AnsibleActionFail(f"the readiness report of stack {stack} was not written: {error}") from error
        result.update(
            changed=False,
            path=str(path),
            page=str(page),
            verdict=verdict,
            score=report.points(results["score"]),
            summary={"columns": report.SUMMARY_COLUMNS, "rows": report.summary_rows(results)},
            details={"columns": report.COLUMNS, "rows": report.detail_rows(results)},
            next=report.next_steps(results),
            faults=results["faults"],
        )
        return result
