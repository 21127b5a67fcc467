#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: show
short_description: Print a table or lines, at once and readable
description:
  - Prints a title, a table and lines below it while the play runs. Verdicts and states are coloured where
    Ansible colours its own output.
  - As wide as the terminal; E(COLUMNS) overrides it; 160 columns where there is no terminal.
author: [Ready authors]
options:
  title:
    description: A line above.
    type: str
    default: ""
  columns:
    description: The table's columns; none means no table.
    type: list
    elements: dict
    default: []
    suboptions:
      key:
        description: The key in a row.
        type: str
        required: true
      title:
        description: The heading.
        type: str
        required: true
      style:
        description: A style as the library rich names it, such as V(bold) or V(dim).
        type: str
  rows:
    description: Values by key; a missing one is shown as V(-).
    type: list
    elements: dict
    default: []
  lines:
    description: Text below the table.
    type: list
    elements: str
    default: []
attributes:
  check_mode: {support: full, description: It only prints.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Show the results
  show:
    title: "{{ inventory_hostname }}"
    columns:
      - {key: service, title: Service}
      - {key: state, title: State}
    rows:
      - {service: redis, state: healthy}
    lines: ["1 service"]
"""
RETURN = r"""
title:
  description: The line above.
  returned: always
  type: str
rows:
  description: What the table was made of, so that events and callbacks hold it.
  returned: always
  type: list
  elements: dict
  sample: [{service: redis, state: healthy}]
lines:
  description: The text below the table.
  returned: always
  type: list
  elements: str
  sample: ["1 service"]
"""
