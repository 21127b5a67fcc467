#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_status
short_description: Say how each service stands
description:
  - Reads memory and volume sizes by the module C(stack_details), and makes of them and of the state what
    C(status) shows.
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
- name: Read memory and volume sizes
  stack_status:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
  register: __status
"""
RETURN = r"""
rows:
  description: A row for each service and sidecar, as it is shown.
  returned: always
  type: list
  elements: dict
lines:
  description: A line for each volume that an upgrade or a restore kept.
  returned: always
  type: list
  elements: str
"""
