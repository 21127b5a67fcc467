#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_choice
short_description: Choose where images come from
description:
  - Gives the module C(image_sources) what the controller knows of the images, that is their definitions, archives,
    recipes and the formats of the data, and sorts its answer.
author: [Ready authors]
extends_documentation_fragment: [registry, registry.mirror]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  names:
    description: The images to choose for.
    type: list
    elements: str
    required: true
  bound:
    description: Image to the source that it must come from, as its data are bound to that.
    type: dict
    default: {}
  state:
    description: What C(stack_state) read; an image of another data format than a volume holds is refused.
    type: dict
    default: {}
  lock:
    description: Image to repository, tag and digest, as the variable C(ready_images_lock) holds it.
    type: dict
    default: {}
  archive_dir:
    description: Directory of archives on the controller.
    type: str
    default: ""
  refresh:
    description: Build with today's packages, also where an image of the recipe is there.
    type: bool
    default: false
  foresee:
    description: Ask before anything is changed, see C(image_sources).
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Choose
  image_choice:
    stack: "{{ ready_stack }}"
    names: [redis]
  register: __image_choice
"""
RETURN = r"""
choices:
  description: Image to its choice, as C(image_sources) returns it.
  returned: always
  type: dict
looked:
  description: What C(image_sources) found of images that are built.
  returned: always
  type: list
  elements: dict
faults:
  description: Everything that must stop the run.
  returned: always
  type: list
  elements: str
archives:
  description: Image to its entry in the manifest of the archives.
  returned: always
  type: dict
recipes:
  description: Image, and V(base), to C(ref) and C(recipe) of what a build makes.
  returned: always
  type: dict
versions:
  description: Image to its definition, with V(version) and V(version_command).
  returned: always
  type: dict
by_source:
  description: Source to the images that come from it.
  returned: always
  type: dict
missing:
  description: What is still to be built.
  returned: always
  type: list
  elements: str
unavailable:
  description: Image to why nothing can serve it, empty where something may.
  returned: always
  type: dict
new_locks:
  description: Image to a lock entry that the lock does not have yet.
  returned: always
  type: dict
lines:
  description: A line for each image, which source serves and why those before it do not.
  returned: always
  type: list
  elements: str
"""
