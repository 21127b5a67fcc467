# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's own output, with each message printed once."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from ansible.plugins.callback.default import CallbackModule as Default

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))  # Ansible offers it to modules alone

DOCUMENTATION = r"""
name: ready_output
type: stdout
short_description: Ansible's own output, with each message printed once
description:
  - Ansible prints why a task failed twice, as an error with an excerpt of the playbook and in the result. Here the
    result says it; the excerpt comes with C(-v).
  - With C(-vvvv) Ansible prints its arguments. Here variables that may be a secret are left out.
  - An answer other than yes to a question is no fault, and is printed as a plain line.
extends_documentation_fragment: [default_callback, result_format_callback]
requirements: [set as C(stdout_callback) in C(ansible.cfg)]
"""


class CallbackModule(Default):
    """See DOCUMENTATION."""

    CALLBACK_NAME = "ready_output"

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Print a banner, and with -vvvv the arguments without what may be a secret."""
        verbosity = self._display.verbosity
        self._display.verbosity = min(verbosity, 3)
        super().v2_playbook_on_start(playbook)
        self._display.verbosity = verbosity
        if verbosity > 3:
            from ready.cli.commands import redacted_arguments, shell_quoted  # it reads every spec, and few runs need it

            self._display.display(f"arguments: {shell_quoted(redacted_arguments(sys.argv[1:]))}")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Print a failure; of an answer that was not yes what did not happen."""
        if result.result.get("declined"):
            self._display.display(result.result["msg"])
        else:
            super().v2_runner_on_failed(result, ignore_errors)

    def _handle_exception(self, result: MutableMapping[str, Any], use_stderr: bool = False) -> None:
        """Leave out what the result says as well."""
        if self._display.verbosity or not result.get("msg"):
            super()._handle_exception(result, use_stderr)
        else:
            result.pop("exception", None)

    def _dump_results(self, result: MutableMapping[str, Any], *args: Any, **more: Any) -> str:
        """Return a result as text, its message as it is: as YAML each quotation mark in it would be doubled."""
        message = result.get("msg")
        if self._display.verbosity or not isinstance(message, str):
            return str(super()._dump_results(result, *args, **more))
        rest = str(super()._dump_results({key: value for key, value in result.items() if key != "msg"}, *args, **more))
        text = message.strip().replace("\n", "\n        ")
        return f"{rest.rstrip() if rest.strip() not in {'', '{}'} else ''}\n    msg: {text}"
