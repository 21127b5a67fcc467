#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_plan
short_description: Say what a restore replaces
description:
  - Looks at the state of the stack before a restore. Nothing is restored.
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
  only:
    description: The services to restore; empty means all with data.
    type: list
    elements: str
    default: []
  without_safety_set:
    description: Whether neither a safety set nor a copy of the data is wanted.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Look at what a restore replaces
  restore_plan:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
  register: __restore_plan
"""
RETURN = r"""
fresh:
  description: Whether the host has no volume of the stack; then there is nothing to say.
  returned: always
  type: bool
notices:
  description: What of these services differs from the inventory, and which of them are starting.
  returned: always
  type: list
  elements: str
lines:
  description: A line for each service whose data are replaced, with what becomes of them.
  returned: always
  type: list
  elements: str
"""
