# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compare a host with what a stack needs."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.checks.not_in_inventory import kept_lines
from ready.common.plain import plain  # Ansible offers module_utils to modules alone
from ready.common.verdict import worst
from ready.host import restore_journal
from ready.preflight import checks as preflight
from ready.preflight.limits import LimitsError, limits_of
from ready.stack import models
from ready.upgrades import compatibility


class ActionModule(ActionBase):
    """See library/preflight_checks.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Evaluate; the controller's clock is read here, after the facts were."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "facts": {"type": "dict", "required": True},
                "stack": {"type": "dict", "required": True},
                "state": {"type": "dict", "required": True},
                "images": {"type": "dict", "default": {}},
                "unavailable": {"type": "dict", "default": {}},
                "models": {"type": "dict", "default": {}},
                "memory_margin": {"type": "str", "required": True},
                "disk_free": {"type": "str", "required": True},
                "clock_skew": {"type": "float", "required": True},
                "docker_backend": {"type": "str", "default": ""},
            }
        )
        facts, stack, state = (plain(args[name]) for name in ("facts", "stack", "state"))
        try:
            limits = limits_of(args["memory_margin"], args["disk_free"], args["clock_skew"])
        except LimitsError as error:
            raise AnsibleActionFail(str(error)) from error
        found = preflight.evaluate(
            facts,
            stack,
            state,
            limits=limits,
            images=plain(args["images"]),
            foreseen=plain(args["unavailable"]),
            now=time.time(),
            docker_backend=args["docker_backend"],
        )
        found += [compatibility.check(stack, state, compatibility.load()), *restore_journal.checks(state)]
        rows = preflight.finding_rows([*found, *models.check(plain(args["models"]), facts)])
        host = str((task_vars or {})["inventory_hostname"])
        return result | {
            "changed": False,
            "checks": rows,
            "verdict": worst(row["verdict"] for row in rows),
            "fault": preflight.failure_text(host, rows),
            "lines": kept_lines(state, host, before=True, former=stack["former"]),
        }
