#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: check_results
short_description: Evaluate what a check was answered
description:
  - Puts the results of all parts together, latency also against its earlier evidence, and makes the host's variable
    C(_check) of them.
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
  answers:
    description: Part to what C(stack_check) returned; parts that were not asked are absent.
    type: dict
    default: {}
  only:
    description: The parts that are wanted; none means all of them.
    type: list
    elements: str
    default: []
  windows:
    description: The Windows host that the stack's distro runs on.
    type: str
    default: ""
  accept:
    description: Whether latency that passes is the new baseline.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Evaluate the results
  check_results:
    stack: "{{ ready_stack }}"
    state: "{{ ready_state }}"
    answers: "{{ __check }}"
"""
RETURN = r"""
check:
  description:
    - V(verdict), V(rows) and V(next) as they are shown, V(failed), the parts that failed, and V(evidence), what is to
      be written. V(missing) says why nothing could be asked.
  returned: always
  type: dict
"""
