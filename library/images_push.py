#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: images_push
short_description: Push a stack's images to the site's registry
description:
  - Pushes what the containers of a stack run from, and the images that only verbs need, by the module C(image_push).
author: [Ready authors]
extends_documentation_fragment: [registry]
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
  force:
    description: Replace what the registry has under the same name.
    type: bool
    default: false
  mirror:
    description: The site's registry.
    type: str
    required: true
attributes:
  check_mode: {support: full, description: In check mode it looks and pushes nothing.}
  diff_mode: {support: N/A, description: There is nothing to compare.}
  idempotent: {support: full, description: What the registry has already is not pushed.}
"""
EXAMPLES = r"""
- name: Push
  images_push:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
    mirror: mirror.example:5000
  register: __images_push
"""
RETURN = r"""
pushed:
  description: Image to V(action) and V(digest), as C(image_push) returns it.
  returned: always
  type: dict
lines:
  description: A line for each image, and what must be done so that other hosts take it.
  returned: always
  type: list
  elements: str
"""
