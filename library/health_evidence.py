#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: health_evidence
short_description: Leave evidence of health as C(up) knows it
description:
  - Writes the evidence C(health) of what Docker and the wait say of each service, unless earlier evidence, such as
    that of C(check), says all of it and more.
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
  waited:
    description: Service to how the wait for it ended, as C(stack_wait) returns it.
    type: dict
    default: {}
  verify:
    description: Whether to look in all evidence for what a check has still to do.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: In check mode nothing is written.}
  diff_mode: {support: N/A, description: Evidence is on the controller.}
  idempotent: {support: full, description: It changes nothing on a host.}
"""
EXAMPLES = r"""
- name: Write the evidence of health
  health_evidence:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
  register: __health
"""
RETURN = r"""
verdict:
  description: The verdict over all services.
  returned: always
  type: str
fault:
  description: Which services did not become healthy, with the next steps; empty when all did.
  returned: always
  type: str
check_needed:
  description: Whether nothing was checked since the containers began, or a fault is known; false without O(verify).
  returned: always
  type: bool
"""
