#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: destroy_plan
short_description: Find what is to be removed of a stack
description:
  - Names the containers, networks and volumes that carry the stack's label. Asks Docker for the sizes of volumes where
    it answers.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  state:
    description: What C(stack_state) read.
    type: dict
    required: true
  volumes:
    description: Whether the data go as well.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Plan what to remove
  destroy_plan:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
  register: __destroy
"""
RETURN = r"""
plan:
  description: Names of V(containers), V(networks) and V(volumes) to remove, and V(lines), one for each.
  returned: always
  type: dict
"""
