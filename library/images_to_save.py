#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: images_to_save
short_description: Say which images go into archives
description:
  - Those that the containers of the stack run from, and those that only verbs need where they are there. Fails where a
    service has no image in use.
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
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Look for the images
  images_to_save:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
  register: __images_to_save
"""
RETURN = r"""
images:
  description: Image to V(ref), V(id), V(source), V(data_format) and V(engine_version).
  returned: always
  type: dict
"""
