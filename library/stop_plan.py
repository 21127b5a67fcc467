#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stop_plan
short_description: Find the containers to stop
description:
  - Returns the stack's containers in the order in which they stop. Fails where the stack has none.
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
  services:
    description: Only these services, each with its sidecars; empty means all.
    type: list
    elements: str
    default: []
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Find the containers to stop
  stop_plan:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
  register: __stop
"""
RETURN = r"""
containers:
  description: V(name) and V(container) of each.
  returned: when it did not fail
  type: list
  elements: dict
"""
