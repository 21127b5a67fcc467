# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""End with Ansible's exit code for hosts that could not be reached, for machines that are away."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """See library/fleet_away.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Say who is away, as Ansible says that a host could not be reached."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec({"machines": {"type": "list", "elements": "str", "required": True}})
        result.update(
            changed=False,
            unreachable=True,
            msg=f"found no answer from {', '.join(args['machines'])}, expected one; nothing else is known to be wrong."
            " Next: switch them on, then run the verb again with --failed",
        )
        return result
