#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_desktop_install_fault
short_description: Fail with why the installer of Docker Desktop failed
description:
  - Reads the end of the installer's log on the host, and fails with its cause and the next step.
author: [Ready authors]
options:
  package:
    description: What C(ansible.windows.win_package) returned.
    type: dict
    required: true
  log:
    description: Path of the log on the host.
    type: str
    required: true
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Fail with the installer's log
  docker_desktop_install_fault:
    package: "{{ __docker_desktop_install }}"
    log: C:\ProgramData\DockerDesktop\install-log-admin.txt
"""
RETURN = r"""
msg:
  description: What was found, what was expected, and the next step.
  returned: always
  type: str
"""
