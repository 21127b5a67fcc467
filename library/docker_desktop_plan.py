#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_desktop_plan
short_description: Decide what role docker_desktop has to do
description:
  - Compares the state of a Windows host with what the inventory asks of Docker Desktop. It reports and never fails for
    what does not fit.
author: [Ready authors]
options:
  windows:
    description: The fact C(ready_windows), as C(windows_state) makes it.
    type: dict
    required: true
  version:
    description: Release to install; empty means that whatever is there is used.
    type: str
    default: ""
  build:
    description: The build of that release, which its address names.
    type: str
    default: ""
  source:
    description: Address or path of the installer; empty means Docker's own.
    type: str
    default: ""
  sha256:
    description: Its SHA-256.
    type: str
    default: ""
  accept_license:
    description: Whether Docker's terms are accepted.
    type: bool
    default: false
  accept_bad_version:
    description: Whether a release with known faults may be installed.
    type: bool
    default: false
  allow_restart:
    description: Whether a running Docker Desktop may be restarted.
    type: bool
    default: false
  start:
    description: Whether it is to run.
    type: bool
    default: true
  settings:
    description: Keys to merge into C(settings-store.json).
    type: dict
    default: {}
attributes:
  check_mode: {support: full, description: It only compares.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Compare the host with the inventory
  docker_desktop_plan:
    windows: "{{ ready_windows }}"
    version: 4.56.0
    build: "214940"
  register: __docker_desktop
"""
RETURN = r"""
plan:
  description: V(checks) as rows, V(steps) in words, V(wanted), and what each group of tasks needs where it is wanted.
  returned: always
  type: dict
"""
