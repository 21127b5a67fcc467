#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prove a backup set by restoring it into scratch containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_drill
short_description: Prove a backup set by restoring it into scratch containers
description:
  - Fetches a set from the repository, loads it into separate containers, volumes and a network, asks for everything
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
  idempotent: {support: none, description: Each run restores again, and leaves nothing.}
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
  description: V(set), V(verdict), V(rto_seconds), V(rpo_seconds), and what each of V(services) answered.
  returned: when there was no error
  type: dict
report:
  description:
    - V(evidence), V(verdict) and V(results) for the evidence; V(columns), V(rows) and V(next) as they are shown.
  returned: but for check mode
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.backups.results import as_report, drill_result
from ansible.module_utils.ready.backups.run import prove_set, run_module
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    run_module(
        AnsibleModule,
        {"set": {"type": "str", "default": ""}},
        lambda its: prove_set(its["stack"], its["set"] or None),
        changed=False,
        report=lambda found: as_report(drill_result(found)),
    )


if __name__ == "__main__":
    redacting(main)()
