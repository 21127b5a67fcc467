# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run one of our scripts on a Windows host and return the JSON object that it prints."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.secrets.redaction import (
    all_texts,  # Ansible offers module_utils to modules alone
    without_secrets,
)
from ready.windows import script_faults, script_text

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts" / "windows"
#: The second line of a script that changes nothing: it runs in check mode too.
READS_ONLY = "# reads only"

#: Parameters up to this length are names and numbers, which a message needs.
_NAME = 20


class ActionModule(ActionBase):
    """See library/windows_script.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send the script's text with its parameters, never with anything put into the text."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        host = str((task_vars or {})["inventory_hostname"])
        _, args = self.validate_argument_spec(
            {
                "id": {"type": "str", "required": True},
                "parameters": {"type": "dict", "default": {}},
                "purpose": {"type": "str", "default": ""},
            }
        )
        path = SCRIPTS / f"{args['id']}.ps1"
        if not path.is_file():
            raise AnsibleActionFail(f"{host}: there is no script {args['id']} in scripts/windows")
        text = script_text.text_of(path)
        reads = text.splitlines()[1] == READS_ONLY
        result.update(changed=not reads)
        if self._task.check_mode and not reads:
            return result | {"skipped_in_check_mode": True}
        before = time.time()
        check, self._task.check_mode = self._task.check_mode, False  # win_powershell runs nothing in check mode
        try:
            done = self._execute_module(
                "ansible.windows.win_powershell",
                module_args={"script": text, "parameters": args["parameters"]},
                task_vars=task_vars,
            )
        finally:
            self._task.check_mode = check
        errors = "; ".join(
            str(error.get("exception", {}).get("message") or error.get("output", ""))
            for error in done.get("error") or []
        )
        if done.get("failed") or errors or not done.get("output"):
            reason = errors or str(done.get("msg") or "it printed nothing").strip()
            raw = {key: done[key] for key in ("output", "error") if key in done}
            if self._task.no_log:  # PowerShell quotes a parameter that it can't take
                reason = without_secrets(reason, (text for text in all_texts(args["parameters"]) if len(text) > _NAME))
            raise AnsibleActionFail(
                f"{host}: the script {args['id']} failed: {reason}. Next: ./ready diagnose",
                result=result | {"raw": raw},
            )
        try:
            answer = json.loads("".join(map(str, done["output"])))
        except ValueError as error:
            raise AnsibleActionFail(
                f"{host}: the script {args['id']} printed no JSON: {error}. Next: ./ready diagnose",
                result=result | {"raw": {"output": done["output"]}},
            ) from error
        fault = script_faults.fault(args["id"], answer, host, args["purpose"])
        return result | {"result": answer, "fault": fault, "before": before, "after": time.time()}
