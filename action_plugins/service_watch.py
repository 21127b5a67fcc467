# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run module service_health again and again, and print what changes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.checks.watch import Watch
from ready.secrets.inventory_store import packed_external  # Ansible offers module_utils to modules alone


def tell_at_the_end(lines: list[str]) -> None:
    """Print while Ansible is being interrupted: it takes no more from a worker, so its own output is written to."""
    with contextlib.suppress(OSError):
        output = os.open(f"/proc/{os.getppid()}/fd/1", os.O_WRONLY | os.O_APPEND | os.O_NOCTTY)
        os.write(output, ("\n" + "\n".join(lines) + "\n").encode())
        os.close(output)


class ActionModule(ActionBase):
    """See library/service_watch.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Watch to the last round, or until the run is interrupted."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "interval": {"type": "float", "default": 5.0},
                "count": {"type": "int", "default": 0},
                "level": {"type": "str", "choices": ["probe", "deep"], "default": "probe"},
                "deadline": {"type": "float", "default": 20.0},
            }
        )
        interval, count = args.pop("interval"), args.pop("count")
        args["external"] = packed_external(task_vars, self._templar.template, args["stack"])
        host, watch, printed = task_vars["inventory_hostname"], Watch(), list[str]()

        def summary() -> list[str]:
            return [f"{host}: {line}" for line in watch.summary_lines()]

        def show(lines: list[str]) -> None:
            printed.extend(lines)
            Display().display("\n".join(lines))

        def stop(number: int, frame: FrameType | None) -> None:
            tell_at_the_end(summary())
            if callable(ended):
                ended(number, frame)

        ended = signal.signal(signal.SIGINT, stop)  # Ansible hands Ctrl-C on to its workers
        try:
            while count == 0 or watch.rounds < count:
                began = time.time()
                answer = self._execute_module("service_health", module_args=args, task_vars=task_vars)
                if "services" not in answer:
                    result.update(answer)
                    return result
                if lines := [f"{host}: {line}" for line in watch.observe(began, answer["services"])]:
                    show(lines)
                if watch.rounds != count:
                    time.sleep(max(0.0, began + interval - time.time()))
        finally:
            signal.signal(signal.SIGINT, ended)
        show(summary())
        result.update(changed=False, watched=watch.summary(), lines=printed)
        return result
