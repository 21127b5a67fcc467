#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_result
short_description: Make ready_images of what was chosen
description:
  - Makes the host's variable C(ready_images) of the choices and of what was built. Images whose id or engine version is
    not known are asked, by the module C(image_facts).
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  choices:
    description: What C(image_choice) returned.
    type: dict
    required: true
  built:
    description: What C(image_build) returned of each image, in V(item) and V(image).
    type: list
    elements: dict
    default: []
attributes:
  check_mode: {support: full, description: In check mode no image is asked.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Note what was chosen
  image_result:
    stack: "{{ ready_stack }}"
    choices: "{{ __image_choice.choices }}"
    built: "{{ __image_choice.looked }}"
"""
RETURN = r"""
images:
  description: Image to V(ref), V(id), V(source), V(data_format), V(engine_version), V(version) and V(version_command).
  returned: always
  type: dict
"""
