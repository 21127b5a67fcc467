# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask before something can't be undone."""

from __future__ import annotations

import os
import signal
from typing import Any

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display


class ActionModule(ActionBase):
    """See library/question.py."""

    BYPASS_HOST_LOOP = True
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {"prompt": {"type": "str", "required": True}, "declined": {"type": "str", "required": True}}
        )
        declined = str(args["declined"])
        try:
            answer = Display().prompt_until(f"{args['prompt']}: ").decode(errors="replace").strip()
        except AnsiblePromptInterrupt:
            Display().display(f"\n{declined}")
            # The terminal gave Ctrl-C to the prompt as a key. All that it would have ended ends now: the launcher too.
            os.killpg(os.getpgid(os.getppid()), signal.SIGINT)
            return {**result, "failed": True, "declined": True, "msg": declined}
        except AnsiblePromptNoninteractive:
            message = f"{declined} Found no terminal to ask; expected one, or --yes. Next: run it again with --yes"
            return {**result, "failed": True, "msg": message}
        if answer != "yes":
            return {**result, "failed": True, "declined": True, "msg": declined}
        return {**result, "changed": False}
