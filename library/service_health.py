#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask every service about its data."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_health
short_description: Ask every service whether it is well, with its real driver
description:
  - Asks all services concurrently under one deadline. What a check writes it removes again; leftovers of interrupted
    runs go too, and nothing else is touched.
  - Passwords are read from the services' config volumes on the host, so they cross no wire. Where a service speaks
    TLS, the CA certificate that its own is verified by comes from there too.
  - It reports and never fails because of what it finds.
  - Runs with the Python of the role C(probes), which has the drivers.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  level:
    description:
      - V(deep) proves each service by its data; V(probe) asks one question of each that reads alone, for watching.
    type: str
    choices: [probe, deep]
    default: deep
  deadline:
    description: Seconds for all services together.
    type: float
    default: 20.0
  timeout:
    description: Seconds for a single step of a check.
    type: float
    default: 5.0
  external:
    description:
      - Keys and CA certificates of services elsewhere, packed; M(service_watch) gives it. Without it nobody asks those.
    type: str
    default: ""
attributes:
  check_mode: {support: full, description: What it writes it removes, so it does the same in check mode.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Ask every service about its data
  service_health:
    stack: "{{ ready_stack }}"
  vars:
    ansible_python_interpreter: /opt/ready/probes/bin/python
  register: __service_health
"""
RETURN = r"""
services:
  description:
    - Per service V(verdict), V(seconds), and V(checks), each with V(verdict), V(seconds), V(detail) and V(figures).
      The level V(probe) has one check, V(answers).
  returned: always
  type: dict
  sample: {redis: {verdict: pass, seconds: 0.03, checks: {key_value: {verdict: pass, seconds: 0.01}}}}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.checks.make_probes import host_probes
from ansible.module_utils.ready.checks.probe import HEALTH_SECONDS, LEVELS, TIMEOUT
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "level": {"type": "str", "choices": ["probe", "deep"], "default": "deep"},
            "deadline": {"type": "float", "default": HEALTH_SECONDS},
            "timeout": {"type": "float", "default": TIMEOUT},
            "external": {"type": "str", "default": "", "no_log": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    probes = host_probes(params["stack"], params["timeout"], params["external"])
    services = LEVELS[params["level"]](probes, params["deadline"])
    module.exit_json(changed=False, services=services)


if __name__ == "__main__":
    redacting(main)()
