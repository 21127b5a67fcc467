#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask, attack and measure a stack's services, in one run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_check
short_description: Ask, attack and measure a stack's services, in one run
description:
  - Does what M(service_health), M(stack_security), M(network_latency) and M(service_latency) do, with what they take
    unless it is said here, in less time. The ways and latency are measured with nothing else running. Health and
    attacks go on at once, while the fixtures of latency are built.
  - It reports and never fails because of what it finds. The filter C(ready_check) judges it.
  - Runs with the Python of the role C(probes), which has the drivers.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  parts:
    description: What to do.
    type: list
    elements: str
    choices: [health, security, network, latency]
    default: [health, security, network, latency]
  deadline:
    description: Seconds that all services together may take to answer about their health.
    type: float
    default: 20.0
  samples:
    description: Requests of each judged operation. A p99, and with it a baseline, takes at least 1000.
    type: int
    default: 1000
  previous:
    description: The earlier evidence of latency, for its baselines; empty when there is none.
    type: dict
    default: {}
attributes:
  check_mode: {support: full, description: What it does it undoes, so it does the same in check mode.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Ask, try and measure
  stack_check:
    stack: "{{ ready_stack }}"
  vars:
    ansible_python_interpreter: /opt/ready/probes/bin/python
  register: __stack_check
"""
RETURN = r"""
health:
  description: What M(service_health) returns; absent unless asked for, as the others.
  returned: when it is among the parts
  type: dict
  sample: {services: {}}
security:
  description: What M(stack_security) returns.
  returned: when it is among the parts
  type: dict
  sample: {found: {}}
network:
  description: What M(network_latency) returns.
  returned: when it is among the parts
  type: dict
  sample: {services: {}}
latency:
  description: What M(service_latency) returns.
  returned: when it is among the parts
  type: dict
  sample: {services: {}}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.checkup import PARTS, SAMPLES, Checkup
from ansible.module_utils.ready.probing import HEALTH_SECONDS


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "parts": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
            "deadline": {"type": "float", "default": HEALTH_SECONDS},
            "samples": {"type": "int", "default": SAMPLES},
            "previous": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    params = dict(module.params)
    found = Checkup(params.pop("stack")).parts(**params)
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
