# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Leave evidence of health as `up` knows it, unless earlier evidence says all of it and more."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.checks.parts import ASKED_PARTS
from ready.checks.status import earlier_still_holds, health_results, health_verdict
from ready.common.clock import timestamp
from ready.common.plain import plain
from ready.docker.images_in_use import images_in_use
from ready.docker.start_failures import unhealthy_message
from ready.evidence import document as evidence  # Ansible offers module_utils to modules alone
from ready.stack.schema import load_library

load_library()


class ActionModule(ActionBase):
    """See library/health_evidence.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Compare with the earlier evidence, write, and look at all of it where the user wants it verified."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        host = str((task_vars or {})["inventory_hostname"])
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "images": {"type": "dict", "default": {}},
                "waited": {"type": "dict", "default": {}},
                "verify": {"type": "bool", "default": False},
            }
        )
        stack, state, waited = (plain(args[name]) for name in ("stack", "state", "waited"))
        images = images_in_use(stack, state, plain(args["images"]))
        results = health_results(stack, state, images, waited)
        verdict = health_verdict(results)
        unhealthy = any(not found["healthy"] for found in waited.values())
        result.update(changed=False, verdict=verdict, fault=unhealthy_message(host, stack, waited) if unhealthy else "")
        directory = Path(stack["evidence_dir"]).absolute()
        if not earlier_still_holds(evidence.earlier(directory, stack["name"], host, "health")["results"], results):
            try:
                self._write(directory, stack["name"], host, verdict, results)
            except evidence.EvidenceError as error:  # what is not healthy is shown all the same
                missing = f"{host}: no evidence of health was written: {error}"
                raise AnsibleActionFail("\n".join(filter(None, [result["fault"], missing]))) from error
        result["check_needed"] = False
        if args["verify"]:
            from ready.checks.report import needs_check  # most runs do not ask

            known = {name: evidence.earlier(directory, stack["name"], host, name) for name in ASKED_PARTS}
            result["check_needed"] = needs_check(state, known)
        return result

    def _write(self, directory: Path, stack: str, host: str, verdict: str, results: dict[str, Any]) -> None:
        document = evidence.make("health", stack, host, verdict, results, timestamp(datetime.now(timezone.utc)))
        if messages := evidence.check(document):
            raise evidence.EvidenceError("; ".join(messages))
        if not self._task.check_mode:
            evidence.write(directory, document)
