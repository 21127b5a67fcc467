# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Leave evidence on the controller."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.verdict import VERDICTS  # Ansible offers module_utils to modules alone
from ready.evidence import document as evidence
from ready.stack.schema import load_library

load_library()


class ActionModule(ActionBase):
    """See library/evidence.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the evidence, then write it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        host = str((task_vars or {})["inventory_hostname"])
        _, args = self.validate_argument_spec(
            {
                "name": {"type": "str", "choices": list(evidence.NAMES), "required": True},
                "stack": {"type": "str", "required": True},
                "directory": {"type": "path", "required": True},
                "verdict": {"type": "str", "choices": list(VERDICTS), "required": True},
                "started_at": {"type": "str", "required": True},
                "finished_at": {"type": "str"},
                "provenance": {"type": "str", "choices": list(evidence.PROVENANCES), "default": "real"},
                "results": {"type": "dict", "required": True},
            }
        )
        directory = Path(args.pop("directory")).absolute()
        document = evidence.make(host=host, **args)
        try:
            if messages := evidence.check(document):
                raise evidence.EvidenceError("; ".join(messages))
            path = evidence.path_of(directory, document["stack"], host, args["name"])
            if not self._task.check_mode:
                evidence.write(directory, document)
        except evidence.EvidenceError as error:
            raise AnsibleActionFail(f"{host}: no evidence of {args['name']} was written: {error}") from error
        word = "would be" if self._task.check_mode else "was"
        result.update(changed=False, path=str(path), verdict=args["verdict"], msg=f"{path} {word} written")
        return result
