#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_report
short_description: Say how every machine of the inventory stands, from all evidence
description:
  - Reads the evidence of all hosts, a Windows host and its distro as one machine, and writes C(fleet.json) and
    C(fleet.html) in the evidence directory, in one step each.
  - It reports; whoever calls it decides about failing. It never counts as a change, and no host is asked.
author: [Ready authors]
options:
  hosts:
    description: The inventory's hosts; their variables say which stack is on them and where its evidence is.
    type: list
    elements: str
    required: true
  shown:
    description:
      - The hosts whose machines the result is about, as C(--limit) leaves them; it counts the others. All by default.
      - The files are about all machines.
    type: list
    elements: str
attributes:
  check_mode: {support: full, description: In check mode nothing is written; the result is the same.}
  diff_mode: {support: none, description: The summary is no state that could differ.}
  idempotent: {support: full, description: It writes what the evidence says at this moment and never reports a change.}
"""
EXAMPLES = r"""
- name: Write and show the summary
  fleet_report:
    hosts: "{{ groups['all'] }}"
  run_once: true
  register: __fleet
"""
RETURN = r"""
verdict:
  description: The worst one of the machines that are shown.
  returned: always
  type: str
path:
  description: The summary as JSON, itself evidence.
  returned: always
  type: str
page:
  description: The summary as an HTML page.
  returned: always
  type: str
title:
  description: How many machines are in which state.
  returned: always
  type: str
  sample: "Fleet of 50: fail; 2 unreachable, 48 healthy"
columns:
  description: For C(show).
  returned: always
  type: list
  elements: dict
rows:
  description: For C(show), a row per machine.
  returned: always
  type: list
  elements: dict
lines:
  description: What failed and its next step; machines with the same fault share a line.
  returned: always
  type: list
  elements: str
away:
  description: Machines that nothing answered for in their last run, being off.
  returned: always
  type: list
  elements: str
"""
