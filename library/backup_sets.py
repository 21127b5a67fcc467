#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""List the backup sets in the repository."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_sets
short_description: List the backup sets in the repository
description:
  - Asks the repository that the inventory names, with the key of its encrypted secrets, or the host's own. It needs
    restic on the host, and nothing else there; nothing is written.
  - The action plugin of the same name, on the controller, takes the key from the secrets.
  - It reports and does not fail by what it finds; V(error) says why it could not go on.
author: [Ready authors]
options:
  stack:
    description: The stack's name.
    type: str
    required: true
  repository:
    description: What restic calls it.
    type: str
    required: true
  set_stack:
    description: The stack whose sets are looked for.
    type: str
    required: true
  environment:
    description: Credentials of the repository's backend, as restic's environment variables.
    type: dict
    default: {}
  key_file:
    description: File on the controller with the key of an existing repository, mode 0600.
    type: path
    default: ""
  credentials:
    description: JSON with key and environment; filled in by the action plugin.
    type: str
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: List the backup sets in the repository
  backup_sets:
    stack: "{{ ready_stack.name }}"
    repository: /mnt/backup/ready
    set_stack: ready
"""
RETURN = r"""
rows:
  description: A row for each set, as it is shown.
  returned: when there was no error
  type: list
  elements: dict
error:
  description: Why it could not go on; empty when it could.
  returned: always
  type: str
found:
  description: V(sets), newest first; V(proven), the set of the last good drill; V(none), why none is listed;
    V(location), the repository without a password.
  returned: when there was no error
  type: dict
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.backups.manifest import BackupError
from ansible.module_utils.ready.backups.restic.listing import list_sets
from ansible.module_utils.ready.secrets.redaction import all_texts, redacting, register_secrets


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "str", "required": True},
            "repository": {"type": "str", "required": True},
            "set_stack": {"type": "str", "required": True},
            "credentials": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    credentials = json.loads(module.params.pop("credentials"))
    register_secrets(all_texts(credentials))
    given = {key: module.params[key] for key in ("stack", "set_stack")}
    try:
        found = list_sets(location=module.params["repository"], **given, **credentials)
    except BackupError as error:
        module.exit_json(changed=False, error=str(error), found={})
    module.exit_json(changed=False, error="", found=found)


if __name__ == "__main__":
    redacting(main)()
