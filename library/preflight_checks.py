#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_checks
short_description: Compare a host with what a stack needs
description:
  - Evaluates memory, disk, ports, clock, Docker, ownership and the versions of data, before anything is changed. It
    reports and never fails for what does not fit.
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
  images:
    description: Newly found images, as C(ready_images) holds them.
    type: dict
    default: {}
  unavailable:
    description: Image to why nothing can serve it, empty where something may.
    type: dict
    default: {}
  models:
    description: What C(model_files) found of models that are to be copied.
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
  clock_skew:
    description: Seconds that the host's clock may differ from the controller's.
    type: float
    required: true
  docker_backend:
    description: What runs the containers in a distro of WSL, V(desktop) or V(engine).
    type: str
    default: ""
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Evaluate the preflight checks
  preflight_checks:
    facts: "{{ __host.facts }}"
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
    memory_margin: 256m
    disk_free: 10g
    clock_skew: 5
  register: __preflight
"""
RETURN = r"""
checks:
  description: A row for each check, with V(id), V(title), V(verdict), V(found), V(expected) and V(next).
  returned: always
  type: list
  elements: dict
verdict:
  description: The worst of their verdicts.
  returned: always
  type: str
fault:
  description: Everything that fails, with the next steps; empty when nothing does.
  returned: always
  type: str
lines:
  description: A line for each container of the stack that the inventory does not name.
  returned: always
  type: list
  elements: str
"""
