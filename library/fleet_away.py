#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_away
short_description: End with the exit code of hosts that could not be reached
description:
  - For machines that are switched off, when nothing else is wrong. ansible-playbook then ends with 4, and not with 2 as
    for a failure. No host is asked.
author: [Ready authors]
options:
  machines:
    description: Names of the machines.
    type: list
    elements: str
    required: true
attributes:
  check_mode: {support: full, description: It changes nothing.}
  diff_mode: {support: none, description: There is no state that could differ.}
  idempotent: {support: full, description: It never reports a change.}
"""
EXAMPLES = r"""
- name: End with 4
  fleet_away:
    machines: [pc4]
  run_once: true
"""
RETURN = r"""
msg:
  description: Who is away.
  returned: always
  type: str
"""
