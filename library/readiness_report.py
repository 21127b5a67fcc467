#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: readiness_report
short_description: Evaluate a stack's evidence and leave the readiness report
description:
  - Holds C(<directory>/<stack>/<host>/*.json) against C(readiness/adr-009.yml) and writes
    C(<directory>/<stack>/readiness.json) and C(readiness.html) in one step each.
  - It reports; whoever calls it decides about failing. It never counts as a change.
author: [Ready authors]
options:
  stack:
    description: The stack's name.
    type: str
    required: true
  directory:
    description: The evidence directory on the controller.
    type: path
    required: true
  hosts:
    description:
      - The hosts that have to show evidence. One without any makes its requirements V(insufficient_data).
      - For a WSL distro, one with the variable C(ansible_wsl_windows_host), its Windows host shows what only Windows
        can.
    type: list
    elements: str
    required: true
  application:
    description: The application; without V(path) in it, requirements about application code are V(not_applicable).
    type: dict
    default: {}
  waivers:
    description: Requirements that are not kept, knowingly and for a time. They show as V(waived) and earn no points.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: The requirement, such as V(R2.overhead).
        type: str
        required: true
      reason:
        description: Why; shown in the report.
        type: str
        required: true
      until:
        description: The last day on which it counts, such as V(2026-12-31).
        type: str
        required: true
attributes:
  check_mode: {support: full, description: In check mode nothing is written; the result is the same.}
  diff_mode: {support: none, description: The report is no state that could differ.}
  idempotent: {support: full, description: It writes what the evidence says at this moment and never reports a change.}
"""
EXAMPLES = r"""
- name: Write the report
  readiness_report:
    stack: "{{ ready_stack.name }}"
    directory: "{{ ready_stack.evidence_dir }}"
    hosts: "{{ groups['all'] }}"
  register: __report
"""
RETURN = r"""
path:
  description: The report as JSON, itself evidence.
  returned: always
  type: str
page:
  description: The report as an HTML page.
  returned: always
  type: str
verdict:
  description: The verdict of the whole.
  returned: always
  type: str
score:
  description: The points earned, in words.
  returned: always
  type: str
  sample: 13 of 100 (32 attainable)
summary:
  description: V(columns) and V(rows) for C(show), a row per section and gate.
  returned: always
  type: dict
details:
  description: V(columns) and V(rows) for C(show), a row per requirement.
  returned: always
  type: dict
next:
  description: What would bring missing data.
  returned: always
  type: list
  elements: str
faults:
  description: Files that were not believed and waivers that do not count.
  returned: always
  type: list
  elements: str
"""
