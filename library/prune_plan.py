#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: prune_plan
short_description: Find what C(prune) removes
description:
  - Reads the containers and images of Docker and the record of images that were built or loaded here, and compares them
    with the stack and the recipes of this checkout. Nothing is removed.
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
  kept:
    description: Whether old data that upgrades and restores kept are removed as well.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Plan what to remove
  prune_plan:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
  register: __prune
"""
RETURN = r"""
plan:
  description: V(containers), V(images), V(ids) and V(volumes) to remove, and V(lines), one for each.
  returned: always
  type: dict
"""
