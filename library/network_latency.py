#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure what the way to every service costs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_latency
short_description: Measure what the way to every service costs
description:
  - Connects and makes the cheapest request of the service's protocol, through the published port, at the container's
    own address in the stack's network, and there from another container of the stack, in turns. It writes nothing.
  - It reports and never fails because of what it finds. The filter C(ready_check) judges it.
  - Runs with the Python of the role C(probes), which has the drivers.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  samples:
    description: Connections and round trips over each way.
    type: int
    default: 50
  timeout:
    description: Seconds for a single request.
    type: float
    default: 5.0
  deadline:
    description: Seconds for any one service.
    type: float
    default: 10.0
attributes:
  check_mode: {support: full, description: It changes nothing.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Measure the network
  network_latency:
    stack: "{{ ready_stack }}"
  vars:
    ansible_python_interpreter: /opt/ready/probes/bin/python
  register: __network_latency
"""
RETURN = r"""
services:
  description:
    - Per service V(published), V(container) and V(inside), each with V(address), V(port), V(reason) (why it could not
      be measured), and the figures V(tcp_connect) and V(round_trip).
  returned: always
  type: dict
  sample: {redis: {published: {address: 127.0.0.1, port: 6379, reason: "", round_trip: {n: 200, p50_ms: 0.1}}}}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.checkup import NETWORK_SECONDS, TRIPS, Checkup
from ansible.module_utils.ready.probing import TIMEOUT


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "samples": {"type": "int", "default": TRIPS},
            "timeout": {"type": "float", "default": TIMEOUT},
            "deadline": {"type": "float", "default": NETWORK_SECONDS},
        },
        supports_check_mode=True,
    )
    params = module.params
    found = Checkup(params["stack"], params["timeout"]).network(params["samples"], params["deadline"])
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
