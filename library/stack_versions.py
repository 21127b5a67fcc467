#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_versions
short_description: Say which versions a stack has
description:
  - Compares what runs with the image lock, the inventory and C(compatibility.yml), as of today.
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
  lock:
    description: Image to repository, tag and digest, as the variable C(ready_images_lock) holds it.
    type: dict
    default: {}
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Compare the versions
  stack_versions:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
  register: __versions
"""
RETURN = r"""
rows:
  description: A row for each service, as C(versions) shows it.
  returned: always
  type: list
  elements: dict
"""
