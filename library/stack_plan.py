#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_plan
short_description: Decide what is to be done with the containers of a stack
description:
  - Compares containers, volumes, network and files with what they must be. A container keeps its image.
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
  images:
    description: Newly found images, as C(ready_images) holds them.
    type: dict
    default: {}
  services:
    description: Only these services; empty means all.
    type: list
    elements: str
    default: []
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Compare the containers with the inventory
  stack_plan:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
    services: [redis]
  register: __container_service
"""
RETURN = r"""
plan:
  description: V(changes) says whether anything is to be done, V(lines) what, for people; V(images) has the image of
    each container. The other keys are what each task applies.
  returned: always
  type: dict
"""
