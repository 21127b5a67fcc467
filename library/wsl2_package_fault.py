#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wsl2_package_fault
short_description: Fail with why WSL's MSI could not be installed
description:
  - Reads the end of the installer's log on the host, and fails with its cause and the next step.
author: [Ready authors]
options:
  windows:
    description: The fact C(ready_windows), as C(windows_state) makes it.
    type: dict
    required: true
  package:
    description: What C(ansible.windows.win_package) returned.
    type: dict
    required: true
  log:
    description: Path of the log on the host.
    type: str
    required: true
  version:
    description: Version of the WSL package.
    type: str
    required: true
  source:
    description: Where the package comes from.
    type: str
    required: true
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Fail with the installer's log
  wsl2_package_fault:
    windows: "{{ ready_windows }}"
    package: "{{ __wsl2_package }}"
    log: C:\Windows\Temp\ready-wsl.log
    version: 2.6.1
    source: https://mirror.example/wsl.msi
"""
RETURN = r"""
msg:
  description: What was found, what was expected, and the next step.
  returned: always
  type: str
"""
