#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_overhead
short_description: Measure what the path from Windows to the services costs
description:
  - Runs C(scripts/windows/latency.ps1) on Windows and C(scripts/linux/distro_latency.py) in the distro and in the
    containers' network, and compares them. The programs on Windows that containers use are measured as well.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  distribution:
    description: Name of the distro.
    type: str
    required: true
  backend:
    description: What runs the containers, V(desktop) or V(engine).
    type: str
    required: true
  samples:
    description: Measurements of each port.
    type: int
    default: 50
  back:
    description: Ports of programs on Windows that are connected to from Linux.
    type: list
    elements: int
    default: []
attributes:
  check_mode: {support: full, description: In check mode nothing runs in the distro and nothing is compared.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Measure
  windows_overhead:
    stack: "{{ ready_stack }}"
    distribution: "{{ ready_windows.distribution }}"
    backend: "{{ ready_windows.backend }}"
  register: __windows_check
"""
RETURN = r"""
overhead:
  description: The figures in milliseconds with their verdicts, as the evidence C(network) holds them.
  returned: but for check mode
  type: dict
rows:
  description: A row for each port, as it is shown.
  returned: but for check mode
  type: list
  elements: dict
back_rows:
  description: A row for each path from Linux to a program on Windows, as it is shown.
  returned: but for check mode
  type: list
  elements: dict
fault:
  description: What does not answer or takes too long, with the next step; empty when all is well.
  returned: but for check mode
  type: str
skipped_in_check_mode:
  description: That it was not compared.
  returned: in check mode
  type: bool
"""
