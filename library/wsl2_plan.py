#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wsl2_plan
short_description: Decide what role wsl2 has to do
description:
  - Compares the state of a Windows host with what the inventory asks of WSL and the distro. It reports and never fails
    for what does not fit.
  - The plan holds O(proxy), which may have a password.
author: [Ready authors]
options:
  windows:
    description: The fact C(ready_windows), as C(windows_state) makes it.
    type: dict
    required: true
  msi_version:
    description: Version of the WSL package; empty means that whatever is there is used.
    type: str
    default: ""
  msi_source:
    description: Address or path of the package.
    type: str
    default: ""
  msi_sha256:
    description: Its SHA-256.
    type: str
    default: ""
  rootfs_source:
    description: Address or path of the distro's image.
    type: str
    default: ""
  rootfs_sha256:
    description: Its SHA-256.
    type: str
    default: ""
  adopt:
    description: Whether a distro of that name that Ready did not make may be used.
    type: bool
    default: false
  allow_reboot:
    description: Whether Windows may be rebooted.
    type: bool
    default: false
  allow_shutdown:
    description: Whether C(wsl --shutdown) may be run.
    type: bool
    default: false
  config:
    description: Keys to merge into C(.wslconfig), by section.
    type: dict
    default: {}
  conf:
    description: Keys to merge into C(/etc/wsl.conf), by section.
    type: dict
    default: {}
  proxy:
    description: Proxy of the distro as a URL, V(windows) for that of Windows, empty for none.
    type: str
    default: ""
  no_proxy:
    description: What is reached without it, with commas.
    type: str
    default: ""
  keepalive:
    description: Whether a task keeps the distro running.
    type: bool
    default: true
  needed_by:
    description: What needs the distro at certain times, in words.
    type: list
    elements: str
    default: []
  disk_limit:
    description: Size that the distro's disk may have, such as V(200g); empty means no limit.
    type: str
    default: ""
  password_given:
    description: Whether there is a password to store with the task.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: It only compares.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Compare the host with the inventory
  wsl2_plan:
    windows: "{{ ready_windows }}"
    msi_version: 2.6.1
  register: __wsl2
"""
RETURN = r"""
plan:
  description: V(checks) as rows, V(steps) in words, and what each group of tasks needs. Of a state that lacks what
    plans need, the first two alone, empty.
  returned: always
  type: dict
"""
