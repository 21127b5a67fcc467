#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_destroy_plan
short_description: Find what is to be removed from a Windows host
description:
  - Names the rules, port proxies, tasks and files that carry Ready's mark, and the distro where O(distro) asks for it
    and Ready made it.
author: [Ready authors]
options:
  windows:
    description: The fact C(ready_windows), as C(windows_state) makes it.
    type: dict
    required: true
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  distro:
    description: Whether the distro goes as well, with everything in it.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: It only compares.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Plan what to remove
  windows_destroy_plan:
    windows: "{{ ready_windows }}"
    stack: "{{ ready_stack }}"
  register: __windows_destroy
"""
RETURN = r"""
plan:
  description: V(rules), V(hyperv_rules), V(proxies), V(tasks), V(holders), V(files), V(distro) and V(marker) to
    remove; V(lines), one for each, and V(kept), what stays.
  returned: always
  type: dict
"""
