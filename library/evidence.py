#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: evidence
short_description: Leave evidence on the controller
description:
  - Writes C(<directory>/<stack>/<host>/<name>.json) in one step, after holding it against
    C(schemas/evidence/<name>.schema.json). What does not fit fails and leaves the former file as it was.
  - Evidence is an observation, not state, so it never counts as a change.
author: [Ready authors]
options:
  name:
    description: What it is evidence of.
    type: str
    choices: [preflight, health, latency, network, availability, security, backup, restore, drill, upgrade,
      gold_standards, frameworks, test_app, readiness, run, fleet]
    required: true
  stack:
    description: The stack's name.
    type: str
    required: true
  directory:
    description: The evidence directory on the controller.
    type: path
    required: true
  verdict:
    description: What was found, in one word.
    type: str
    choices: [pass, fail, insufficient_data, not_applicable, waived]
    required: true
  started_at:
    description: When the observation began, in UTC, such as V(2026-01-31T23:59:59Z).
    type: str
    required: true
  finished_at:
    description: When it ended, if that is not now - an observation that the host made by itself, earlier.
    type: str
  provenance:
    description: V(simulated) evidence never counts in a report.
    type: str
    choices: [real, simulated]
    default: real
  results:
    description: What was found, in the form that the schema of its name asks for. Never a secret.
    type: dict
    required: true
attributes:
  check_mode: {support: full, description: In check mode nothing is written; the evidence is checked all the same.}
  diff_mode: {support: none, description: Evidence is no state that could differ.}
  idempotent: {support: full, description: It writes the time of each observation and never reports a change.}
"""
EXAMPLES = r"""
- name: Write the evidence of health
  evidence:
    name: health
    stack: "{{ ready_stack.name }}"
    directory: "{{ ready_stack.evidence_dir }}"
    started_at: "{{ now(utc=true, fmt='%Y-%m-%dT%H:%M:%SZ') }}"
    verdict: pass
    results:
      services:
        redis: {state: healthy, seconds: 0.4, image: "ready/redis:7.0", detail: ""}
"""
RETURN = r"""
path:
  description: The file.
  returned: always
  type: str
verdict:
  description: The verdict that was given.
  returned: always
  type: str
"""
