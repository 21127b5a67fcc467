#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_desktop_logon
short_description: Wait for the automatic logon of a Windows host
description:
  - Waits until the connecting account has a desktop session, which Docker Desktop starts in. Fails where none comes.
author: [Ready authors]
options:
  windows:
    description: The fact C(ready_windows), as C(windows_state) makes it.
    type: dict
    required: true
  timeout:
    description: Seconds to wait.
    type: int
    default: 300
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Wait until the account has a desktop session
  docker_desktop_logon:
    windows: "{{ ready_windows }}"
"""
RETURN = r"""
msg:
  description: What was found, what was expected, and the next step.
  returned: when it failed
  type: str
"""
