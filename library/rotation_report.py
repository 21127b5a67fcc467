#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rotation_report
short_description: Say who needs new settings after a rotation
description:
  - Prints which services have new passwords, until when old keys are valid, and whose key its provider makes.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  services:
    description: The services that were asked for; empty means all.
    type: list
    elements: str
    default: []
  key_ends:
    description: Service to the time until which its old keys are valid, in seconds since 1970.
    type: dict
    default: {}
attributes:
  check_mode: {support: full, description: It prints in check mode as well.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Show which clients need the new passwords
  rotation_report:
    stack: "{{ ready_stack }}"
    services: [redis]
"""
RETURN = r"""
lines:
  description: What was printed.
  returned: always
  type: list
  elements: str
"""
