#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stack's secrets: the action plugin does the work, this module reads them back from containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_secrets
short_description: Show, hand out, rotate or recover the secrets of a stack
description:
  - An action plugin on the controller, where the secrets are. As a module on the host it only reads secrets back from
    the containers' config volumes, for V(recover).
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  action:
    description:
      - V(show) prints logins and passwords, V(env) connection settings for applications. They are in no result.
      - V(rotate) makes new passwords; bringing the stack up afterwards puts them into the stores.
      - V(set) takes in the key that the provider of a service elsewhere has given out.
      - V(recover) reads the secrets back from the containers when the vault key is lost, and encrypts them with the new
        one.
    type: str
    choices: [show, env, set, rotate, recover]
    required: true
  services:
    description: Only these services; empty means all.
    type: list
    elements: str
    default: []
  format:
    description: Form of V(env).
    type: str
    choices: [dotenv, json]
    default: dotenv
  secrets:
    description: Whether V(env) holds passwords.
    type: bool
    default: false
  where:
    description: Whether V(env) is for an application on the V(host), or in a V(container) in the stack's network.
    type: str
    choices: [host, container]
    default: host
  output:
    description:
      - File of mode 0600 in which the stack's block is replaced or added. Empty means the terminal.
      - JSON replaces the whole file; it is refused where that is not Ready's, or the play several hosts.
    type: path
    default: ""
  account:
    description: Whose key V(set) takes.
    type: str
    default: app
  from_file:
    description: File of mode 0600 that V(set) takes the key from; empty means a prompt that does not show it.
    type: path
    default: ""
  replace:
    description: Whether V(set) replaces a key without a question.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: Makes nothing new in check mode.}
  diff_mode: {support: none, description: Secrets are not shown as differences.}
  idempotent: {support: partial, description: Rotation makes new passwords each time.}
"""
EXAMPLES = r"""
- name: Generate new passwords
  stack_secrets:
    stack: "{{ ready_stack }}"
    action: rotate
"""
RETURN = r"""
msg:
  description: What was done.
  returned: for V(set), V(rotate) and V(recover)
  type: str
"""

import base64
import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.readback import read_secrets
from ansible.module_utils.ready.docker.state import EngineError, connect
from ansible.module_utils.ready.secrets.redaction import redacted, redacting


def main() -> None:
    """Run the module: read the secrets back. The action plugin keeps what is returned to itself."""
    module = AnsibleModule(argument_spec={"stack": {"type": "dict", "required": True}}, supports_check_mode=True)
    try:
        found = read_secrets(connect(), module.params["stack"])
    except EngineError as error:
        module.fail_json(msg=redacted(error))
    module.exit_json(changed=False, secrets=base64.b64encode(json.dumps(found).encode()).decode())


if __name__ == "__main__":
    redacting(main)()
