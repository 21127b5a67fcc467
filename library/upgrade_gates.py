#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: upgrade_gates
short_description: Decide whether a new engine may stay
description:
  - Asks the upgraded service for its data, by the module M(service_health), then measures its latency, by the module
    M(service_latency), and compares that with the objectives and with the evidence from before the upgrade.
  - It reports and does not fail for what it finds. The host's variable C(_upgrade_latency) is what was measured.
  - Runs with the Python of the role C(probes), which has the drivers.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  service:
    description: Name of the upgraded service.
    type: str
    required: true
  samples:
    description: Requests of each judged operation; 0 measures nothing.
    type: int
    required: true
attributes:
  check_mode: {support: full, description: What it does it undoes, so it does the same in check mode.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Check the upgraded Redis
  upgrade_gates:
    stack: "{{ ready_stack }}"
    service: redis
    samples: 200
  vars:
    ansible_python_interpreter: /opt/ready/probes/bin/python
  register: __upgrade_gates
"""
RETURN = r"""
fault:
  description: Which gate failed, and why; empty when none did.
  returned: always
  type: str
"""
