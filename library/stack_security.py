#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find out what somebody could do to a stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_security
short_description: Find out what an attacker could do to a stack
description:
  - Reads what Docker and the kernel say of each container, tries what an attacker would against each service, looks
    from a second network namespace, and searches processes, containers, logs and images for every password.
  - An attack that succeeds does no harm and is undone. The namespace goes with the module, also when that is
    interrupted; the Docker network that it needs for a moment carries the stack's label.
  - In playbooks the action plugin of the same name is called, which also searches what Ready writes on the controller.
  - It reports and never fails because of what it finds. The filter C(ready_check) judges it.
  - Needs root, and the Python of the role C(probes), which has the drivers.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  timeout:
    description: Seconds for a single step of an attack.
    type: float
    default: 5.0
  deadline:
    description: Seconds for all containers together, and again for all attacks and searches together.
    type: float
    default: 20.0
attributes:
  check_mode: {support: full, description: What it does it undoes, so it does the same in check mode.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Try what an attacker would
  stack_security:
    stack: "{{ ready_stack }}"
  vars:
    ansible_python_interpreter: /opt/ready/probes/bin/python
  register: __stack_security
"""
RETURN = r"""
found:
  description:
    - V(services) maps a service to V(container), V(attacks) and V(targets); V(outside) says who answered somebody else;
      V(leaks) says where which password was found, never the password.
  returned: always
  type: dict
  sample: {services: {}, host: {}, outside: {}, leaks: {}, passwords: 12, seconds: 1.9}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.checkup import SECURITY_SECONDS, Checkup
from ansible.module_utils.ready.probing import TIMEOUT


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "timeout": {"type": "float", "default": TIMEOUT},
            "deadline": {"type": "float", "default": SECURITY_SECONDS},
        },
        supports_check_mode=True,
    )
    params = module.params
    module.exit_json(changed=False, **Checkup(params["stack"], params["timeout"]).security(params["deadline"]))


if __name__ == "__main__":
    main()
