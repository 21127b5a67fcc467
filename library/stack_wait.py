#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wait for all services of a stack together."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_wait
short_description: Wait until all services of a stack are healthy, together
description:
  - Asks each service by its own health test inside its container, all at the same time, under one deadline.
  - Sets a service's accounts (the definition's C(reconcile) command) where they are not what the inventory says.
  - It reports and never fails by itself; a service that is not healthy comes with its last log lines.
author: [Ready authors]
options:
  services:
    description: Resolved services by name, as in the fact C(ready_stack).
    type: dict
    required: true
  reconcile:
    description: Services whose accounts are to be set before the first health test.
    type: list
    elements: str
    default: []
  deadline:
    description: Seconds for all of them together. By default the longest C(health.deadline) among the services.
    type: float
attributes:
  check_mode: {support: full, description: Waits for nothing and changes nothing in check mode.}
  diff_mode: {support: none, description: Accounts hold secrets.}
  idempotent: {support: full, description: Accounts are set only where they differ.}
"""
EXAMPLES = r"""
- name: Wait for all of them
  stack_wait:
    services: "{{ ready_stack.services }}"
    reconcile: [postgresql]
  register: __stack_wait
"""
RETURN = r"""
services:
  description:
    - Per service V(healthy), V(state), V(seconds) since the wait began, V(detail), V(reconciled), V(wrong_password),
      V(refused), V(restarts), V(oom_killed) and, when it is not healthy, its last V(logs).
  returned: always
  type: dict
  sample: {redis: {healthy: true, state: healthy, seconds: 0.4}}
healthy:
  description: Whether all of them are.
  returned: always
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.wait import wait_for_all
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "services": {"type": "dict", "required": True},
            "reconcile": {"type": "list", "elements": "str", "default": []},
            "deadline": {"type": "float"},
        },
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=False, services={}, healthy=True)
    params = module.params
    services = wait_for_all(params["services"], params["reconcile"], params["deadline"])
    module.exit_json(
        changed=any(item["reconciled"] for item in services.values()),
        services=services,
        healthy=all(item["healthy"] for item in services.values()),
    )


if __name__ == "__main__":
    redacting(main)()
