# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hand an image's recipe to the module, and show the build's steps while they run."""

from __future__ import annotations

import base64
import gzip
import sys
import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))

from ready.images.recipe import pack_recipe, read_recipe  # noqa: E402  # Ansible offers module_utils to modules alone

POLL = 1.0
#: A status module is dearer than reading the progress file; it also notices a build that died without a word.
STATUS_EVERY = 5
LIMIT = 3600
_STATUS_KEYS = ("ansible_job_id", "started", "finished", "results_file", "stdout", "stderr")


class ActionModule(ActionBase):
    """See library/image_build.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Look first; build in the background, where there is something to build, and follow it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = dict(self._task.args)
        if not args.get("recipe"):  # else it is no directory of images/
            try:
                recipe = read_recipe(ROOT / "images", str(args.get("name", "")), str(args.get("tag", "")))
            except FileNotFoundError as error:
                raise AnsibleActionFail(str(error)) from error
            args["recipe"] = base64.b64encode(gzip.compress(pack_recipe(recipe), mtime=0)).decode()
        found = self._look(args, task_vars)
        if found.get("failed") or not found.get("changed") or self._task.check_mode:
            return {**result, **found}
        return {**result, **self._build(args, task_vars)}

    def _look(self, args: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        was = self._task.check_mode
        self._task.check_mode = True
        try:
            return dict(self._execute_module(module_name="image_build", module_args=args, task_vars=task_vars))
        finally:
            self._task.check_mode = was

    def _build(self, args: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        work = self._make_tmp_path()
        progress = self._connection._shell.join_path(work, "progress")
        was = self._task.async_val
        self._task.async_val = LIMIT
        try:
            job = self._execute_module(
                module_name="image_build",
                module_args={**args, "progress": progress},
                task_vars=task_vars,
                wrap_async=True,
            )
        finally:
            self._task.async_val = was
        if "ansible_job_id" not in job:
            return dict(job)
        try:
            return self._follow(job["ansible_job_id"], progress, task_vars)
        finally:
            self._status(job["ansible_job_id"], task_vars, "cleanup")
            self._remove_tmp_path(work, force=True)

    def _follow(self, job: str, progress: str, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        printed, rounds = list[str](), 0
        while True:
            time.sleep(POLL)
            rounds += 1
            printed += self._show(progress, len(printed))
            done = bool(printed) and "built in" in printed[-1]
            if done or rounds % STATUS_EVERY == 0:
                status = self._status(job, task_vars, "status")
                if status.get("finished") or status.get("failed"):
                    printed += self._show(progress, len(printed))
                    found = {key: value for key, value in status.items() if not key.startswith(_STATUS_KEYS)}
                    return found | {"lines": printed}

    def _show(self, progress: str, shown: int) -> list[str]:
        """Show the lines that are new, and return them."""
        answer = self._low_level_execute_command(f"tail -n +{shown + 1} {progress} 2>/dev/null || :")
        lines = str(answer.get("stdout", "")).splitlines()
        for line in lines:
            Display().display(f"  {line}")
        return lines

    def _status(self, job: str, task_vars: dict[str, Any] | None, mode: str) -> dict[str, Any]:
        directory = self.get_shell_option("async_dir", default="~/.ansible_async")
        return dict(
            self._execute_module(
                module_name="ansible.legacy.async_status",
                module_args={"jid": job, "mode": mode, "_async_dir": self._remote_expand_user(directory)},
                task_vars=task_vars,
            )
        )
