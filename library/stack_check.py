#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask, probe and measure a stack's services, in one run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_check
short_description: Ask, probe and measure a stack's services, in one run
description:
  - Health is what M(service_health) does, latency what M(service_latency) does, with the defaults unless these are set
    here. Security looks at the containers, probes the services from the host and from outside, and looks for
    passwords; it undoes what it did. Network connects and makes the cheapest request through the published port, at the
    container's own address, and there from another container, in turns; it writes nothing.
  - Network paths and latency are measured with nothing else running. Health and security run at once, while the
    fixtures of latency are built.
  - It reports and never fails because of what it finds. The action C(check_results) judges it.
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
    description:
      - Seconds that all services together may take to answer about their health. A single step may take a quarter of
        them, at least 5.
    type: float
    default: 20.0
  samples:
    description: Requests of each judged operation. A p99, and with it a baseline, takes at least 1000.
    type: int
    default: 1000
  previous:
    description: The earlier evidence of latency, for its baselines; the action plugin gives it, unless O(accept).
    type: dict
    default: {}
  accept:
    description:
      - Whether latency that passes is the new baseline. Without one to compare with, a measurement that passes is not
        repeated.
    type: bool
    default: false
  external:
    description: Keys and CA certificates of services elsewhere, packed; the action plugin gives it.
    type: str
    default: ""
attributes:
  check_mode: {support: full, description: What it does it undoes, so it does the same in check mode.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Run probes, security checks and measurements
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
  description: C(found), of which V(services) maps a service to V(container), V(attempts) and V(targets); V(outside)
    says who answered somebody else; V(leaks) says where which password was found, never the password.
  returned: when it is among the parts
  type: dict
  sample: {found: {}}
network:
  description: C(services), per service V(published), V(container) and V(inside), each with V(address), V(port),
    V(reason) (why it could not be measured), and the figures V(tcp_connect) and V(round_trip).
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
from ansible.module_utils.ready.checks.parts import ASKED_PARTS
from ansible.module_utils.ready.checks.probe import HEALTH_SECONDS, step_seconds
from ansible.module_utils.ready.checks.runner import SAMPLES, CheckRunner
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "parts": {"type": "list", "elements": "str", "choices": list(ASKED_PARTS), "default": list(ASKED_PARTS)},
            "deadline": {"type": "float", "default": HEALTH_SECONDS},
            "samples": {"type": "int", "default": SAMPLES},
            "previous": {"type": "dict", "default": {}},
            "external": {"type": "str", "default": "", "no_log": True},
        },
        supports_check_mode=True,
    )
    params = dict(module.params)
    timeout = step_seconds(params["deadline"])
    found = CheckRunner(params.pop("stack"), timeout, params.pop("external")).run(**params)
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    redacting(main)()
