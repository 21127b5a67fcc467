# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep module results that hold secrets out of a connection's log. Runs on the controller, inside Ansible."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible.errors import AnsibleActionFail


@contextmanager
def without_result_log(action: Any) -> Iterator[None]:
    """Let the connection of an action say nothing of what comes back: ssh prints all of it with -vvv.

    `no_log` of the task would do the same, and hide the result from whoever runs the verb.
    """
    context = action._connection._play_context
    before, context.no_log = context.no_log, True
    try:
        yield
    finally:
        context.no_log = before


def passwords_on_host(action: Any, stack: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return service -> account -> password as the config volumes on the host of an action have it.

    Args:
        action: the action plugin that runs.
        stack: the resolved stack; its `name` and `services` count.
        task_vars: of the host.

    Raises:
        AnsibleActionFail: the host can't be asked.
    """
    with without_result_log(action):
        answer = action._execute_module("stack_secrets", module_args={"stack": dict(stack)}, task_vars=task_vars)
    if answer.get("failed"):
        raise AnsibleActionFail(f"{task_vars['inventory_hostname']}: {answer.get('msg')}")
    found: dict[str, dict[str, str]] = json.loads(base64.b64decode(answer["secrets"]))
    return found
