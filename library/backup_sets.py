#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""List the backup sets in the repository."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_sets
short_description: List the backup sets in the repository
description:
  - Lists the sets of the stack, and how the last scheduled runs ended.
  - It reports and does not fail by what it finds; V(error) says why it could not go on.
  - Runs with the Python of the role C(probes), on what the module C(backup_settings) wrote.
author: [Ready authors]
options:
  stack:
    description: The stack's name.
    type: str
    required: true

attributes:
  check_mode: {support: full, description: Does nothing in check mode.}
  diff_mode: {support: N/A, description: There is nothing to show.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: List the backup sets in the repository
  backup_sets:
    stack: "{{ ready_stack.name }}"
  vars:
    ansible_python_interpreter: /opt/ready/probes/bin/python
"""
RETURN = r"""
error:
  description: Why it could not go on; empty when it could.
  returned: always
  type: str
found:
  description: V(sets), newest first; V(proven), the set of the last good drill; V(scheduled), the last runs of timers.
  returned: when there was no error
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.backups.run import as_module, list_sets


def main() -> None:
    """Run the module."""
    as_module(
        AnsibleModule,
        {},
        lambda its: list_sets(its["stack"]),
        changed=False,
    )


if __name__ == "__main__":
    main()
