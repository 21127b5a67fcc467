#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gold_standards
short_description: Judge an application's code by the gold standards
description:
  - Reads the Python code of a project on the controller, without importing it, and judges it by the rules of
    C(docs/gold-standards.md).
  - It reports; whoever calls it decides about failing. Code is changed by O(fix) alone.
author: [Ready authors]
options:
  path:
    description: A directory or a file on the controller.
    type: path
    required: true
  rules:
    description: Ids of the rules to judge by; all without it.
    type: list
    elements: str
    default: []
  exclude:
    description: Patterns of paths to leave out, relative to O(path), such as V(vendor/*). They are in the results.
    type: list
    elements: str
    default: []
  fix:
    description: Whether to make the safe fixes. With C(--diff) they are shown, in check mode they are shown alone.
    type: bool
    default: false
  output:
    description: A file on the controller for the findings, in O(format).
    type: path
  format:
    description: The form of the findings.
    type: str
    choices: [text, json, sarif, junit, github]
    default: text
  threshold:
    description: The score that RV(kept) goes by, from 0 to 100.
    type: float
    default: 95
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it; its evidence from before is for the trend.
    type: dict
    required: true
attributes:
  check_mode: {support: full, description: In check mode nothing is written; the judgement is the same.}
  diff_mode: {support: full, description: The diff is that of the fixes.}
  idempotent: {support: full, description: Fixes that are made leave nothing to fix.}
"""
EXAMPLES = r"""
- name: Check the code
  gold_standards:
    path: "{{ application.path }}"
    stack: "{{ ready_stack }}"
    output: gold-standards.sarif
    format: sarif
  register: __gold_standards
"""
RETURN = r"""
verdict:
  description: V(pass), V(fail), or V(insufficient_data) for code that does not use the Kailash SDK.
  returned: always
  type: str
kept:
  description: Whether the score is at least O(threshold), and every file could be judged.
  returned: always
  type: bool
results:
  description: The results of the evidence C(gold_standards).
  returned: always
  type: dict
table:
  description: V(columns), V(rows) and V(lines) for C(show).
  returned: always
  type: dict
"""
