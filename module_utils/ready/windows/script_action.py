# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action windows_script, for the other actions that run a script. On the controller only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def run_script(caller: Any, task_vars: Mapping[str, Any], **args: Any) -> dict[str, Any]:
    """Return what the action windows_script returns.

    Args:
        caller: the ActionBase that runs now; its connection is used.
        task_vars: the variables of its task.
        args: the options of windows_script.

    Raises AnsibleActionFail as that action does.
    """
    task = caller._task.copy()
    task.args = args
    action = caller._shared_loader_obj.action_loader.get(
        "windows_script",
        task=task,
        connection=caller._connection,
        play_context=caller._play_context,
        loader=caller._loader,
        templar=caller._templar,
        shared_loader_obj=caller._shared_loader_obj,
    )
    result: dict[str, Any] = action.run(task_vars=task_vars)
    return result


def end_of_log(caller: Any, task_vars: Mapping[str, Any], path: str) -> list[str]:
    """Return the last eight lines of a log on Windows, none where there is no such file; the rest as for run_script."""
    read = run_script(caller, task_vars, id="log_tail", parameters={"Path": str(path), "Lines": 8})
    return [str(line) for line in read["result"]["lines"]]
