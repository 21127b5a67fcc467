#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_network_plan
short_description: Decide what role windows_network has to do
description:
  - Compares ports, firewall rules, port proxies and network mode of a Windows host with what the inventory asks for. It
    reports and never fails for what does not fit.
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
  allow:
    description: What may be reached from beyond the PC.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: A word that the rule's name holds.
        type: str
        required: true
      port:
        description: The port.
        type: int
        required: true
      remote:
        description: Addresses and networks that may come in.
        type: list
        elements: str
        required: true
      native:
        description: Whether the program listens in the distro itself.
        type: bool
        default: false
  mode:
    description: WSL's network mode.
    type: str
    choices: [nat, mirrored]
    default: nat
  config:
    description: What role wsl2 merges into C(.wslconfig), by section.
    type: dict
    default: {}
  follow:
    description: Whether a task renews the port proxies.
    type: bool
    default: true
  public:
    description: Whether rules may hold on Public networks.
    type: bool
    default: false
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
  windows_network_plan:
    windows: "{{ ready_windows }}"
    stack: "{{ ready_stack }}"
    allow: [{name: redis, port: 6379, remote: [192.168.1.0/24]}]
  register: __windows_network
"""
RETURN = r"""
plan:
  description: V(checks) as rows, V(steps) in words, what each group of tasks needs, and V(closed), the rows of
    openings that are not in force.
  returned: always
  type: dict
"""
