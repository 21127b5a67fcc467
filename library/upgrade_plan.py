#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: upgrade_plan
short_description: Plan the upgrade of a stack
description:
  - Compares the engine versions that made the data with the release lines that the inventory asks for, by
    C(compatibility.yml). Fails where the matrix refuses one.
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
    description: The services that are wanted; none means all.
    type: list
    elements: str
    default: []
  images:
    description: The images of the new versions, as C(ready_images) holds them; without them there are no steps yet.
    type: dict
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Plan the upgrade
  upgrade_plan:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
    images: "{{ ready_images }}"
  register: __upgrade_plan
"""
RETURN = r"""
moves:
  description: What happens to each service, with V(action), V(found), V(wanted), V(row), V(how) and V(reason).
  returned: always
  type: list
  elements: dict
wanted:
  description: The moves that are upgrades.
  returned: always
  type: list
  elements: dict
steps:
  description: The upgrades whose images are there, each with the images V(before) and V(after) it.
  returned: always
  type: list
  elements: dict
lines:
  description: A line for each service.
  returned: always
  type: list
  elements: str
"""
