#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_report
short_description: Write what is known of Windows hosts
description:
  - Writes state, checks and steps of each host as JSON, mode 0600, in place of whatever the file had. Of a host with a
    fault it writes that, and what was read at all. Takes what the roles for Windows have registered.
author: [Ready authors]
options:
  hosts:
    description: Names of the hosts.
    type: list
    elements: str
    required: true
  output:
    description: The file to write.
    type: path
    required: true
attributes:
  check_mode: {support: full, description: It writes in check mode as well, as the file is what was asked for.}
  diff_mode: {support: none, description: The state is read by a person.}
  idempotent: {support: full, description: It never reports a change.}
"""
EXAMPLES = r"""
- name: Write all host facts
  windows_report:
    hosts: "{{ ansible_play_hosts }}"
    output: /tmp/state.json
  run_once: true
"""
RETURN = r"""
msg:
  description: Why the file can't be written.
  returned: when it failed
  type: str
"""
