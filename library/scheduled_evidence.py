#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scheduled_evidence
short_description: Leave evidence of runs by timer
description:
  - Writes the evidence of backups and drills that timers ran on the host. An outcome that is no evidence, such as that
    of another version's runner, is a warning.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  outcomes:
    description: How these runs ended, as C(stack_state) returned them in V(outcomes).
    type: list
    elements: dict
    required: true
attributes:
  check_mode: {support: full, description: In check mode nothing is written.}
  diff_mode: {support: N/A, description: Evidence is on the controller.}
  idempotent: {support: full, description: It changes nothing on a host.}
"""
EXAMPLES = r"""
- name: Write the evidence of scheduled runs
  scheduled_evidence:
    stack: "{{ ready_stack }}"
    outcomes: "{{ ready_state.outcomes }}"
"""
RETURN = r"""
written:
  description: Name and verdict of what was written.
  returned: always
  type: list
  elements: str
"""
