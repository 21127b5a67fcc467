#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_task_start
short_description: Start a scheduled task and those that were stopped for it
description:
  - Starts the task and the tasks that hold the distro, and sees them run. Where Windows has refused the task, the
    others are started alone, and it fails with the reason.
author: [Ready authors]
options:
  windows:
    description: The fact C(ready_windows), as C(windows_state) makes it.
    type: dict
    required: true
  task:
    description: Name of the task.
    type: str
    required: true
  holders:
    description: Names of the tasks that hold the distro.
    type: list
    elements: str
    required: true
  registered:
    description: What C(community.windows.win_scheduled_task) returned, failure included; empty when the task was there.
    type: dict
    default: {}
  password:
    description: The password that was stored with the task; it stands in no message.
    type: str
    required: true
  password_variable:
    description: The variable that holds it, for the message.
    type: str
    required: true
attributes:
  check_mode: {support: full, description: Starts nothing in check mode.}
  diff_mode: {support: none, description: It says no more than that something changed.}
  idempotent: {support: none, description: It is called where a task does not run.}
"""
EXAMPLES = r"""
- name: Start the scheduled task
  windows_task_start:
    windows: "{{ ready_windows }}"
    task: keep Ubuntu-22.04
    holders: [keep Ubuntu-22.04]
    registered: "{{ __windows_task_made }}"
    password: "{{ windows_task_password }}"
    password_variable: wsl2_owner_password
"""
RETURN = r"""
msg:
  description: What was found, what was expected, and the next step.
  returned: when it failed
  type: str
"""
