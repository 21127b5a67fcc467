#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put a backup set in place of a stack's data."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_restore
short_description: Put a backup set in place of a stack's data
description:
  - Proves the set in scratch containers, makes a safety set, swaps the data, and asks the services; the old data
    come back when they are not well.
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
  set:
    description: The set; empty means the newest.
    type: str
    default: ""
  only:
    description: The services; empty means all.
    type: list
    elements: str
    default: []
  to:
    description: The time that PostgreSQL alone is to go to, with its zone, or V(latest); empty means the set as it is.
    type: str
    default: ""
  safety_set:
    description: Whether to make a set of what is there first, and to keep whole what no set can be made of.
    type: bool
    default: true
  lose_databases:
    description: PostgreSQL's databases that may be lost although no backup can hold them.
    type: list
    elements: str
    default: []
  skip_broken:
    description: Whether what of PostgreSQL can't be restored is left out; V(verdict) is V(fail) then.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: Does nothing in check mode.}
  diff_mode: {support: N/A, description: There is nothing to show.}
  idempotent: {support: none, description: Each run restores.}
"""
EXAMPLES = r"""
- name: Put a backup set in place of a stack's data
  stack_restore:
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
  description: V(set), V(verdict), V(rto_seconds), V(outage_seconds), V(safety_set), what each of V(services) answered,
    V(warnings), V(kept), the data from before that no set has, and of a time V(recovery).
  returned: when there was no error
  type: dict
report:
  description:
    - V(evidence), V(verdict) and V(results) for the evidence; V(columns), V(rows) and V(next) as they are shown.
  returned: but for check mode
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.backups.results import as_report, restore_result
from ansible.module_utils.ready.backups.run import restore_set, run_module
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    run_module(
        AnsibleModule,
        {
            "host": {"type": "str", "required": True},
            "set": {"type": "str", "default": ""},
            "only": {"type": "list", "elements": "str", "default": []},
            "to": {"type": "str", "default": ""},
            "safety_set": {"type": "bool", "default": True},
            "lose_databases": {"type": "list", "elements": "str", "default": []},
            "skip_broken": {"type": "bool", "default": False},
        },
        lambda its: restore_set(
            its["stack"],
            its["set"] or None,
            its["only"],
            its["host"],
            its["safety_set"],
            its["to"],
            its["lose_databases"],
            its["skip_broken"],
        ),
        changed=True,
        report=lambda found: as_report(restore_result(found)),
    )


if __name__ == "__main__":
    redacting(main)()
