#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Let one run at a time change a stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_lock
short_description: Let one run at a time change a stack
description:
  - Takes or gives back the lock file C(/run/lock/ready-<stack>.json) on the host.
  - A run that has ended holds nothing, whether it ended well, in failure or by Ctrl-C; the action plugin of the same
    name knows, since it runs on the controller.
author: [Ready authors]
options:
  stack:
    description: The stack's name.
    type: str
    required: true
  state:
    description: V(held) takes the lock or fails, V(free) gives it back.
    type: str
    choices: [held, free]
    default: held
  run:
    description: Who asks; filled in by the action plugin.
    type: dict
  replace:
    description: A holder that has ended, which the action plugin finds out, or whose lock is to be broken.
    type: dict
  take_over:
    description: Whether to return the run that holds the lock, instead of failing, so that it can be asked about.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: Takes nothing in check mode.}
  diff_mode: {support: N/A, description: There is nothing to show.}
  idempotent: {support: full, description: Taking a lock that one holds changes nothing; it never reports a change.}
"""
EXAMPLES = r"""
- name: Lock the stack
  stack_lock:
    stack: "{{ ready_stack.name }}"
"""
RETURN = r"""
holder:
  description: The other run that holds the lock, if any.
  returned: always
  type: dict
words:
  description: The same for people, with its age.
  returned: when another run holds the lock
  type: str
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.host.run_lock import Holder, path_of, release_lock, take_lock
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["held", "free"], "default": "held"},
            "run": {"type": "dict"},
            "replace": {"type": "dict"},
            "take_over": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    path = path_of(params["stack"])
    run = Holder(**params["run"])
    holder = None
    if params["state"] == "free":
        release_lock(path, run)
    elif not module.check_mode:
        holder = take_lock(path, run, Holder(**params["replace"]) if params["replace"] else None)
    module.exit_json(changed=False, holder=asdict(holder) if holder else None)


if __name__ == "__main__":
    redacting(main)()
