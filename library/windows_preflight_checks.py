#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_preflight_checks
short_description: Evaluate what was read of a Windows host
description:
  - Compares account, Windows, virtualization, disk and clocks with what the stack needs. It reports and never fails
    for what does not fit.
author: [Ready authors]
options:
  windows:
    description: The fact C(ready_windows), as C(windows_state) makes it.
    type: dict
    required: true
  disk_free:
    description: Disk space that must be free for the distro, such as V(30g).
    type: str
    required: true
  clock_skew:
    description: Seconds that the clocks of controller, Windows and distro may differ.
    type: float
    required: true
attributes:
  check_mode: {support: full, description: It only compares.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Evaluate the preflight checks
  windows_preflight_checks:
    windows: "{{ ready_windows }}"
    disk_free: 30g
    clock_skew: 5
  register: __windows_preflight
"""
RETURN = r"""
checks:
  description: A row for each check, with V(id), V(title), V(verdict), V(found), V(expected) and V(next).
  returned: always
  type: list
  elements: dict
"""
