#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep on a host what its backups need."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_settings
short_description: Keep on a host what its backups need
description:
  - Writes C(/etc/ready/backup/<stack>), root's alone, with settings, the repository's key, its other credentials, the
    encrypted secrets, the image lock and the evidence about the host; and the runner that timers start,
    C(/opt/ready/backup/<stack>.pyz).
  - The action plugin of the same name, on the controller, takes the key from the host's encrypted secrets, or makes it
    there. It can print the recovery sheet instead.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  settings:
    description: V(repository), V(set_stack), V(level), V(retention), V(check_subset), V(metrics).
    type: dict
    required: true
  environment:
    description: Credentials of the repository's backend, as restic's environment variables.
    type: dict
    default: {}
  prune_environment:
    description: The same for removing old sets, where writers may not.
    type: dict
    default: {}
  key_file:
    description: File on the controller with the key of an existing repository, mode 0600.
    type: path
    default: ""
  print_sheet:
    description: Print the recovery sheet, and change nothing on the host.
    type: bool
    default: false
  output:
    description: File of the controller, mode 0600, where the stack's sheet is replaced or added; empty is the screen.
    type: path
    default: ""
  time:
    description: The time of day of daily and rarer runs, for the mark.
    type: str
    default: ""
  look:
    description: Return the mark, and change nothing; neither a key is made nor the host asked.
    type: bool
    default: false
  files:
    description: JSON, path to base64 content; filled in by the action plugin.
    type: str
  runner:
    description: The runner, base64; filled in by the action plugin.
    type: str
attributes:
  check_mode: {support: full, description: Says what would be written.}
  diff_mode: {support: none, description: The content is secret.}
  idempotent: {support: full, description: Nothing is written when all is as it should be; new evidence is no change.}
"""
EXAMPLES = r"""
- name: Keep on the host what its backups need
  backup_settings:
    stack: "{{ ready_stack }}"
    settings: {repository: /mnt/backup/ready, set_stack: ready, level: per_service, check_subset: 5%}
"""
RETURN = r"""
mark:
  description: What settings and timers are made from, as a fingerprint.
  returned: unless it prints the recovery sheet
  type: str
files:
  description: The paths that differed, without evidence.
  returned: when it wrote to the host
  type: list
  elements: str
  sample: [settings.json]
"""

import base64
import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.backups.restic.repository import program, version_fault
from ansible.module_utils.ready.backups.settings import RUNNERS, apply, directory_of, runner_of
from ansible.module_utils.ready.secrets.redaction import all_texts, redacted, redacting, register_secrets


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "files": {"type": "str", "no_log": True},
            "runner": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    stack = params["stack"]["name"]
    # In check mode it may not be installed yet.
    restic = program()
    if restic and (fault := version_fault(module.run_command([restic, "version"])[1])):
        module.fail_json(msg=fault)
    files = {path: base64.b64decode(content) for path, content in json.loads(params["files"]).items()}
    register_secrets(files["key"].decode().split())
    register_secrets(
        text for name in ("environment.json", "prune.json") for text in all_texts(json.loads(files.get(name, b"{}")))
    )
    try:
        changed = apply(directory_of(stack), files, 0o600, dry_run=module.check_mode)
        runner = runner_of(stack)
        content = base64.b64decode(params["runner"])
        if not runner.is_file() or runner.read_bytes() != content:
            changed.append(str(runner))
            if not module.check_mode:
                RUNNERS.mkdir(parents=True, exist_ok=True)
                runner.write_bytes(content)
    except OSError as error:
        module.fail_json(msg=f"the settings of backups could not be written: {redacted(error)}")
    # Each run leaves evidence, which is no change of what the host is set up to do.
    changed = [path for path in changed if not path.startswith("include/evidence_")]
    module.exit_json(changed=bool(changed), files=changed)


if __name__ == "__main__":
    redacting(main)()
