#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_lock
short_description: Ask the registry for today's digests
description:
  - Asks the registry, by the module C(image_sources), for all images that may be obtained, and compares with the lock.
    The lock is written by the role. Fails where the registry does not give a digest that it should have.
author: [Ready authors]
extends_documentation_fragment: [registry, registry.mirror]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
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
- name: Ask
  image_lock:
    stack: "{{ ready_stack }}"
    lock: "{{ ready_images_lock | default({}) }}"
  register: __image_lock
"""
RETURN = r"""
new_locks:
  description: Image to its entry in the new lock.
  returned: always
  type: dict
gone:
  description: Images of which there is nothing to lock.
  returned: always
  type: list
  elements: str
lines:
  description: A line for each image with the old digest and the new one.
  returned: always
  type: list
  elements: str
"""
