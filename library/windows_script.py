#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_script
short_description: Run one of Ready's scripts on a Windows host
description:
  - Runs C(scripts/windows/<id>.ps1) by C(ansible.windows.win_powershell) and returns the JSON object that it prints.
    Values travel as parameters; nothing is put into the script's text.
  - docs/windows-scripts.md lists the scripts.
author: [Ready authors]
options:
  id:
    description: The script, by the id in its first line.
    type: str
    required: true
  parameters:
    description: Its parameters.
    type: dict
    default: {}
  purpose:
    description: What it is run for, such as V(import of Ubuntu-22.04), for a message about its fault.
    type: str
    default: ''
attributes:
  check_mode:
    support: full
    description: A script that says C(reads only) runs in check mode as well; any other is not sent.
  diff_mode: {support: none, description: What a script changes is in its result.}
  idempotent: {support: none, description: The role decides from the state whether to call one that changes anything.}
"""
EXAMPLES = r"""
- name: Gather host facts
  windows_script:
    id: windows_state
    parameters: {Ports: [5432, 6379]}
  register: __windows
"""
RETURN = r"""
result:
  description: What the script printed.
  returned: when it ran
  type: dict
fault:
  description:
    - Why the result is no success, as a message with the next step; empty when it is one, or when the script is none of
      those that a judge is for.
  returned: when it ran
  type: str
raw:
  description: What there was of output and errors, as C(ansible.windows.win_powershell) returned them.
  returned: when it failed
  type: dict
before:
  description: The controller's time before it was sent, in seconds since 1970.
  returned: when it ran
  type: float
after:
  description: The controller's time after its answer.
  returned: when it ran
  type: float
skipped_in_check_mode:
  description: That it was not sent.
  returned: in check mode, when the script changes anything
  type: bool
"""
