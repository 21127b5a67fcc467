#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a backup set of all services of a stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_backup
short_description: Make a backup set of all services of a stack
description:
  - Dumps all stores together, counts what is in the dumps, and saves them with their manifest as one snapshot; then
    removes sets that are no longer kept and reads some of the repository. What it stopped it starts again.
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
  level:
    description: V(per_service) or V(synchronized); empty means what the settings say.
    type: str
    default: ""
attributes:
  check_mode: {support: full, description: Does nothing in check mode.}
  diff_mode: {support: N/A, description: There is nothing to show.}
  idempotent: {support: none, description: Each run makes a set.}
"""
EXAMPLES = r"""
- name: Make a backup set of all services of a stack
  stack_backup:
    stack: "{{ ready_stack.name }}"
    host: "{{ inventory_hostname }}"
  vars:
    ansible_python_interpreter: /opt/ready/probes/bin/python
"""
RETURN = r"""
error:
  description: Why it could not go on; empty when it could.
  returned: always
  type: str
found:
  description: V(manifest), V(seconds), V(repository), V(warnings), V(healed), V(upkeep).
  returned: when there was no error
  type: dict
report:
  description:
    - V(evidence), V(verdict) and V(results) for the evidence; V(columns), V(rows) and V(next) as they are shown.
  returned: but for check mode
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.backups.results import as_report, backup_result
from ansible.module_utils.ready.backups.run import make_set, run_module
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    run_module(
        AnsibleModule,
        {
            "host": {"type": "str", "required": True},
            "level": {"type": "str", "default": ""},
        },
        lambda its: make_set(its["stack"], its["level"], its["host"], ""),
        changed=True,
        report=lambda found: as_report(backup_result(found)),
    )


if __name__ == "__main__":
    redacting(main)()
