#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read what costs more than the state: memory in use, volume sizes, logs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_details
short_description: Read memory in use, volume sizes and log lines of a stack
description:
  - What C(stack_state) leaves out because it takes the daemon longer; nothing is changed.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  services:
    description: Only these services; empty means all.
    type: list
    elements: str
    default: []
  log_lines:
    description: How many of the last log lines to read per service; 0 reads none.
    type: int
    default: 0
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Read the last lines
  stack_details:
    stack: "{{ ready_stack }}"
    log_lines: 50
"""
RETURN = r"""
details:
  description: V(memory) by service and V(volumes) by name, in bytes.
  returned: always
  type: dict
  sample: {memory: {redis: 4194304}, volumes: {ready_redis_data: 88}}
logs:
  description: Service to its last lines.
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.state import EngineError, connect, read_logs
from ansible.module_utils.ready.docker.usage import read_details
from ansible.module_utils.ready.secrets.redaction import redacting
from ansible.module_utils.ready.stack.resolved import containers


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "services": {"type": "list", "elements": "str", "default": []},
            "log_lines": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    stack, params = module.params["stack"], module.params
    services = list(containers(stack, params["services"]).values())
    try:
        client = connect()
        details = read_details(client, services)
        logs = read_logs(client, services, params["log_lines"]) if params["log_lines"] else {}
    except EngineError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, details=details, logs=logs)


if __name__ == "__main__":
    redacting(main)()
