#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_state
short_description: Read the state of a Windows host
description:
  - Runs C(scripts/windows/windows_state.ps1), compares the state with
    C(schemas/windows_state.schema.json), and makes the host's variable C(ready_windows) of it, from which every role
    for Windows decides.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it; its ports are looked at.
    type: dict
    required: true
  distribution:
    description: Name of the distro.
    type: str
    required: true
  location:
    description: Its folder on Windows.
    type: str
    required: true
  user:
    description: Its default user.
    type: str
    required: true
  backend:
    description: What runs the containers, V(desktop) or V(engine).
    type: str
    required: true
  inside:
    description: Whether to look into the distro. V(start) starts it when it does not run, but not in check mode.
    type: str
    required: true
    choices: [start, running, never]
  ca_thumbprints:
    description: Thumbprints of certificates that are looked for in the stores of Windows.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that the look into the distro may take.
    type: int
    required: true
attributes:
  check_mode: {support: full, description: It only reads; in check mode the distro is not started.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Read the state of the host
  windows_state:
    stack: "{{ ready_stack }}"
    distribution: "{{ wsl_distribution }}"
    location: "{{ wsl_location }}"
    user: "{{ wsl_user }}"
    backend: "{{ docker_backend }}"
    inside: running
    timeout: 60
"""
RETURN = r"""
result:
  description: The state, as the schema describes it.
  returned: when the script printed one, also when it is not what the schema describes
  type: dict
raw:
  description: What there was of output and errors, as C(ansible.windows.win_powershell) returned them.
  returned: when the script failed
  type: dict
"""
