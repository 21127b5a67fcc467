#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: services_left_out
short_description: Find the new services that a running stack is kept without
description:
  - Evaluates the checks of preflight with and without the services that the inventory does not name itself and that the
    stack has never had. Where only the smaller stack fits, they are left out.
author: [Ready authors]
options:
  facts:
    description: What C(host_facts) read.
    type: dict
    required: true
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  state:
    description: What C(stack_state) read.
    type: dict
    required: true
  unavailable:
    description: Image to why nothing can serve it, empty where something may.
    type: dict
    default: {}
  memory_margin:
    description: Memory that must stay free, such as V(256m).
    type: str
    required: true
  disk_free:
    description: Disk space that must be free, such as V(10g).
    type: str
    required: true
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Find services that the host cannot run or get
  services_left_out:
    facts: "{{ __host.facts }}"
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
    memory_margin: 256m
    disk_free: 10g
  register: __left_out
"""
RETURN = r"""
services:
  description: Service to why the stack is kept without it; empty where all fits, or where something else does not.
  returned: always
  type: dict
lines:
  description: A line for each of them, with the next step.
  returned: always
  type: list
  elements: str
"""
