#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_ping
short_description: Test the connection to a Windows host step by step
description:
  - Asks WinRM for its greeting without a password, with the trust, the port and the proxy of the connection C(psrp),
    then logs on by Ansible's own connection and asks who it is and what it may do (C(ansible.windows.win_whoami)).
  - Shows a row for each step. The first step that fails is the last one; its row names the likely causes.
  - A host where nothing answers is unreachable to Ansible, one that answers and does not fit has failed.
author: [Ready authors]
options:
  timeout:
    description: Seconds that a connect and the greeting may take, each.
    type: int
    default: 10
attributes:
  check_mode: {support: full, description: It changes nothing.}
  diff_mode: {support: none, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Test the connection
  windows_ping:
"""
RETURN = r"""
checks:
  description: What was found, a row for each step.
  returned: when something answered
  type: list
  elements: dict
"""
