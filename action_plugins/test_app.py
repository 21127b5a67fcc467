# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read the application on the controller, have its tests run where the stack is, and look at the original again."""

from __future__ import annotations

import base64
import gzip
import sys
import tempfile
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.images.recipe import pack_recipe, read_recipe, suite_of  # Ansible offers module_utils to modules alone
from ready.secrets.inventory_store import packed_external
from ready.secrets.secrets_file import SecretsError
from ready.testapp.application import Application, ApplicationError, resolve
from ready.testapp.judging import source_changed
from ready.testapp.recipe import recipe, runner
from ready.testapp.running import SOURCE, USER
from ready.testapp.source import Source, SourceError, read

IMAGES = Path(__file__).resolve().parent.parent / "images"
#: The image with the Kailash packages, and the services whose content is compared.
IMAGE, STORES = "kailash", ("postgresql", "neo4j", "chromadb", "redis")


class ActionModule(ActionBase):
    """See library/test_app.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Look, or run."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "stack": {"type": "dict", "required": True},
                "application": {"type": "dict", "default": {}},
                "image": {"type": "str", "default": ""},
                "look": {"type": "bool", "default": False},
                "timeout": {"type": "float", "default": 60.0},
                "time_limit": {"type": "float", "default": 1800.0},
                "memory": {"type": "int", "default": 2 * 2**30},
            }
        )
        host = task_vars["inventory_hostname"]
        try:
            application = resolve(args["application"], suite_of(read_recipe(IMAGES, IMAGE), IMAGE))
            source = read(application.path)
            if args["look"] or self._task.check_mode:
                return {**result, "changed": False, "recipe": _recipe(application, args["image"])}
            done = self._run(application, source, args, task_vars)
        except (ApplicationError, SourceError, SecretsError, FileNotFoundError) as error:
            raise AnsibleActionFail(f"{host}: {error}") from error
        if done.get("failed") and done.get("msg") and not str(done["msg"]).startswith(f"{host}: "):
            done["msg"] = f"{host}: {done['msg']}"
        return {**result, **done}

    def _run(
        self, application: Application, source: Source, args: dict[str, Any], task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        stack, before = args["stack"], source.fingerprint()
        request = {
            "runner": runner(IMAGES),
            "command": list(application.command),
            "tests": application.tests,
            "stores": [name for name in STORES if name in stack["services"]],
            "about": {
                "application": {
                    "name": application.path.name,
                    "command": list(application.command),
                    "packages": len(application.wanted.packages),
                    "image": args["image"],
                },
                "source": {
                    "files": len(source.files),
                    "bytes": source.size,
                    "sha256": before,
                    "left_out": source.left_out[:50],
                    "unchanged": True,
                },
            },
        }
        external = packed_external(task_vars, self._templar.template, stack)
        remote = self._make_tmp_path()
        try:
            with tempfile.NamedTemporaryFile(prefix="ready-") as file:
                file.write(source.tar(SOURCE, USER))
                file.flush()
                place = self._transfer_file(file.name, self._connection._shell.join_path(remote, "source.tar"))
            args = {**args, "application": {}, "request": request, "source": place, "external": external}
            done = dict(self._execute_module(module_name="test_app", module_args=args, task_vars=task_vars))
        finally:
            self._remove_tmp_path(remote, force=True)
        if not done.get("failed") and read(application.path).fingerprint() != before:
            source_changed(done)
        return done


def _recipe(application: Application, image: str) -> str:
    """Return the packed recipe of the layer that an application needs, "" when it needs none."""
    if not image or not application.wanted.packages:
        return ""
    files = recipe(IMAGES, image, application.wanted)
    return base64.b64encode(gzip.compress(pack_recipe(files), mtime=0)).decode()
