# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Complete the commands in whatever a run prints, so that they can be pasted."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))  # Ansible offers module_utils to modules alone

DOCUMENTATION = r"""
name: ready_commands
type: aggregate
short_description: Complete the commands in whatever a run prints, so that they can be pasted
description:
  - A message says C(./ready up); what is printed, and written to C(log_path), has the inventory, the limit, the stack's
    name and the files of variables as this run was given them. Of other variables only those are shown that can hold no
    secret, otherwise C(-e …).
requirements: [beside the playbook, or in C(callback_plugins) of C(ansible.cfg)]
"""


class CallbackModule(CallbackBase):
    """See DOCUMENTATION. It prints nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "ready_commands"
    CALLBACK_NEEDS_ENABLED = False  # from another directory Ready's ansible.cfg is not read

    def v2_playbook_on_start(self, playbook: object) -> None:
        """Put a filter before Ansible's display: messages reach it by many paths, and all of them pass there."""
        del playbook
        display, main = self._display, os.getpid()
        show = display.display

        def filtered(msg: str, *args: Any, **kwargs: Any) -> None:
            # What a worker says comes to the main process, and passes there once more.
            if os.getpid() == main and "./ready " in msg:
                from ready.cli.commands import complete_for_this_call  # it reads every spec, and few runs need it

                msg = complete_for_this_call(msg)
            show(msg, *args, **kwargs)

        display.display = filtered
