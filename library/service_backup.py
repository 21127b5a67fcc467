#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a backup set of some services and prove it at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_backup
short_description: Make a backup set of some services and prove it at once
description:
  - Makes a set of these services alone, marked as a safety set, then fetches it from the repository, loads it into
    scratch containers and asks for everything that it promises. What it stopped it starts again.
  - The set is never taken for the newest one, and its proof does not count as one of the newest set.
  - It reports and does not fail by what it finds; V(error) says why it could not go on.
  - Runs with the Python of the role C(probes), on what the module C(backup_settings) wrote.
author: [Ready authors]
options:
  stack:
    description: The stack's name.
    type: str
    required: true
  host:
    description: Name of the host in the inventory.
    type: str
    required: true
  services:
    description: Names of the services; they keep data.
    type: list
    elements: str
    required: true
attributes:
  check_mode: {support: full, description: Does nothing in check mode.}
  diff_mode: {support: N/A, description: There is nothing to show.}
  idempotent: {support: none, description: Each run makes a set.}
"""
EXAMPLES = r"""
- name: Make a backup set of Redis and prove it
  service_backup:
    stack: "{{ ready_stack.name }}"
    host: "{{ inventory_hostname }}"
    services: [redis]
  vars:
    ansible_python_interpreter: /opt/ready/probes/bin/python
"""
RETURN = r"""
error:
  description: Why it could not go on; empty when it could.
  returned: always
  type: str
found:
  description: V(set), V(seconds), V(verdict) of the drill, V(drill_seconds), V(services), V(healed), V(warnings).
  returned: when there was no error
  type: dict
report:
  description: V(fault), why nothing may rely on the set; empty when it is there and proven.
  returned: but for check mode
  type: dict
  sample: {fault: ""}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.backups.partial_set import make_and_prove
from ansible.module_utils.ready.backups.run import run_module
from ansible.module_utils.ready.secrets.redaction import redacting
from ansible.module_utils.ready.upgrades.plan import set_fault


def main() -> None:
    """Run the module."""
    run_module(
        AnsibleModule,
        {
            "host": {"type": "str", "required": True},
            "services": {"type": "list", "elements": "str", "required": True},
        },
        lambda its: make_and_prove(its["stack"], its["services"], its["host"]),
        changed=True,
        report=lambda found: {"fault": set_fault(found)},
    )


if __name__ == "__main__":
    redacting(main)()
