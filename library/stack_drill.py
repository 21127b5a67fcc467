#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prove a backup set by restoring it into scratch containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_drill
short_description: Prove a backup set by restoring it into scratch containers
description:
  - Fetches a set from the repository, loads it into containers, volumes and a network of their own, asks for everything
    that the manifest promises, and removes all of it.
  - It reports and does not fail by what it finds; V(error) says why it could not go on.
  - Runs with the Python of the role C(probes), on what the module C(backup_settings) wrote.
author: [Ready authors]
options:
  stack:
    description: The stack's name.
    type: str
    required: true
  set:
    description: The set; empty means the newest.
    type: str
    default: ""
attributes:
  check_mode: {support: full, description: Does nothing in check mode.}
  diff_mode: {support: N/A, description: There is nothing to show.}
  idempotent: {support: none, description: Each run restores anew, and leaves nothing.}
"""
EXAMPLES = r"""
- name: Prove a backup set by restoring it into scratch containers
  stack_drill:
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
  description: V(set), V(verdict), V(rto_seconds), V(rpo_seconds), and what each of V(services) said.
  returned: when there was no error
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.backups.run import as_module, prove_set


def main() -> None:
    """Run the module."""
    as_module(
        AnsibleModule,
        {"set": {"type": "str", "default": ""}},
        lambda its: prove_set(its["stack"], its["set"] or None),
        changed=False,
    )


if __name__ == "__main__":
    main()
