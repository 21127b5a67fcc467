#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make the environment of the probes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: probes_environment
short_description: Make the Python environment that the probes run in
description:
  - Makes a virtual environment with the drivers of a hashed lock and the package C(ready), beside the one that is
    there, and replaces that when all of it is installed. Where only the package differs, only that is installed.
  - Two runs at once wait for each other; what an interrupted one left is removed by the next.
  - Without O(python) it looks whether the environment is as it should be, for the package is large, and seldom needed;
    and it leaves a stack's description beside the environment.
  - In playbooks the action plugin of the same name is called; it reads lock and package on the controller and hands
    them to this module.
author: [Ready authors]
options:
  directory:
    description: Where the environment is; its whole content is replaced.
    type: path
    required: true
  resolved:
    description: The resolved stack to describe, as the fact C(ready_stack) holds it. The action plugin takes it.
    type: dict
  mark:
    description: What an environment that is as it should be says of itself. Filled in by the action plugin.
    type: str
    default: ""
  stack:
    description: Name of the stack to describe. Filled in by the action plugin.
    type: str
  description:
    description: What its file holds. Filled in by the action plugin.
    type: str
  adopt:
    description: Whether it may take the place of one that names another owner.
    type: bool
    default: false
  python:
    description: The Python that it is made with, 3.10 or newer, with venv. Without it nothing is made.
    type: path
  requirements:
    description: Text of the lock, every package pinned and hashed. Filled in by the action plugin.
    type: str
  wheel_name:
    description: File name of the package C(ready). Filled in by the action plugin.
    type: str
  wheel:
    description: Its content, in base64. Filled in by the action plugin.
    type: str
  package:
    description: Fingerprint of its sources. Filled in by the action plugin.
    type: str
attributes:
  check_mode: {support: full, description: It says whether anything would be done.}
  diff_mode: {support: none, description: It says no more than that something changed.}
  idempotent: {support: full, description: An environment that is as it should be is left alone.}
"""
EXAMPLES = r"""
- name: Check the environment
  probes_environment:
    directory: /opt/ready/probes
    resolved: "{{ ready_stack }}"
  register: __probes

- name: Create the environment
  probes_environment:
    directory: /opt/ready/probes
    python: /usr/bin/python3
"""
RETURN = r"""
directory:
  description: Where it is.
  returned: always
  type: str
complete:
  description: Whether it is as it should be.
  returned: always
  type: bool
"""

import base64
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.host.installed import (
    STACKS,
    InstallError,
    environment_is_made,
    install_environment,
    write_description,
)
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "mark": {"type": "str", "default": ""},
            "stack": {"type": "str"},
            "description": {"type": "str"},
            "adopt": {"type": "bool", "default": False},
            "python": {"type": "path"},
            "requirements": {"type": "str"},
            "wheel_name": {"type": "str"},
            "wheel": {"type": "str"},
            "package": {"type": "str"},
        },
        required_together=[("stack", "description"), ("python", "requirements", "wheel_name", "wheel", "package")],
        supports_check_mode=True,
    )
    params = module.params
    directory, changed = Path(params["directory"]), False
    if params["stack"]:
        try:
            changed = write_description(
                params["stack"], params["description"], dry_run=module.check_mode, adopt=params["adopt"]
            )
        except OSError as error:
            module.fail_json(
                msg=f"the description of the stack {params['stack']} could not be written: found {error}; expected a "
                f"file in {STACKS}. Next: look at that directory's owner and at the disk"
            )
    complete = environment_is_made(directory, params["mark"])
    if module.check_mode or not params["wheel"]:
        module.exit_json(
            changed=changed or bool(params["wheel"] and not complete), directory=str(directory), complete=complete
        )
    try:
        changed |= install_environment(
            directory,
            params["python"],
            params["requirements"],
            params["wheel_name"],
            base64.b64decode(params["wheel"]),
            params["package"],
        )
    except (InstallError, OSError) as error:
        module.fail_json(
            msg=f"the environment of the probes in {directory} could not be made: {error}. What was there is as it "
            "was. Next: check the host's Python (3.10 or newer, with venv) and its package index (pip config list)"
        )
    module.exit_json(changed=changed, directory=str(directory), complete=True)


if __name__ == "__main__":
    redacting(main)()
