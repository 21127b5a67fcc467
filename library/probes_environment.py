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
author: [Ready authors]
options:
  directory:
    description: Where the environment is; its whole content is replaced.
    type: path
    required: true
  python:
    description: The Python that it is made with, 3.10 or newer, with venv.
    type: path
    required: true
  requirements:
    description: Text of the lock, every package pinned and hashed.
    type: str
    required: true
  wheel_name:
    description: File name of the package C(ready).
    type: str
    required: true
  wheel:
    description: Its content, in base64.
    type: str
    required: true
  package:
    description: Fingerprint of its sources.
    type: str
    required: true
attributes:
  check_mode: {support: full, description: It says whether anything would be done.}
  diff_mode: {support: none, description: It says no more than that something changed.}
  idempotent: {support: full, description: An environment that is as it should be is left alone.}
"""
EXAMPLES = r"""
- name: Make the environment
  probes_environment:
    directory: /opt/ready/probes
    python: /usr/bin/python3
    requirements: "{{ lookup('ansible.builtin.file', 'requirements-probes.txt', rstrip=false) }}"
    wheel_name: ready-0.1.0-py3-none-any.whl
    wheel: "{{ lookup('ansible.builtin.file', 'ready.whl') | b64encode }}"
    package: 4f1c
"""
RETURN = r"""
directory:
  description: Where it is.
  returned: always
  type: str
"""

import base64
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.installed import MARK, InstallError, install, mark


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "python": {"type": "path", "required": True},
            "requirements": {"type": "str", "required": True},
            "wheel_name": {"type": "str", "required": True},
            "wheel": {"type": "str", "required": True},
            "package": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    directory, lock, package = Path(params["directory"]), params["requirements"], params["package"]
    if module.check_mode:
        path = directory / MARK
        found = path.read_text(encoding="utf-8") if path.exists() else ""
        module.exit_json(changed=found != mark(lock, package), directory=str(directory))
    try:
        changed = install(
            directory, params["python"], lock, params["wheel_name"], base64.b64decode(params["wheel"]), package
        )
    except (InstallError, OSError) as error:
        module.fail_json(
            msg=f"the environment of the probes in {directory} could not be made: {error}. What was there is as it "
            "was. Next: check the host's Python (3.10 or newer, with venv) and its package index (pip config list)"
        )
    module.exit_json(changed=changed, directory=str(directory))


if __name__ == "__main__":
    main()
