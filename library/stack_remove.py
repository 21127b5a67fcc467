#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remove a stack from a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_remove
short_description: Remove a stack from a host, in one call
description:
  - Stops and removes the given containers, all at the same time, but for sidecars (one that publishes a service's ports
    goes before the services, others after them); then networks and volumes; and from the disk the timers, settings and
    runner of the stack's backups, and its description. The repository of backups stays.
  - What does not carry the stack's label when its turn comes is not touched, whatever its name.
  - One removal that fails does not keep the others; the module fails at its end and says all of them.
  - Own, not docker_container, docker_network and docker_volume, which take a call for each thing.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  host:
    description: What messages call this host.
    type: str
    required: true
  containers:
    description: Containers that go.
    type: list
    elements: str
    default: []
  networks:
    description: Networks that go; what else is connected to one is disconnected.
    type: list
    elements: str
    default: []
  volumes:
    description: Volumes that go, and with them their data.
    type: list
    elements: str
    default: []
  data:
    description:
      - Whether the data go, too; then the journal of an interrupted upgrade is of no use any more and goes.
      - So does what backups have on the host beside their settings, C(/var/lib/ready/backup/<stack>).
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: Says what would be removed.}
  diff_mode: {support: full, description: A line for each thing.}
  idempotent: {support: full, description: What is gone already is no change. The next run finishes an interrupted one.}
"""
EXAMPLES = r"""
- name: Remove the stack, and keep its volumes
  stack_remove:
    stack: "{{ ready_stack }}"
    host: "{{ inventory_hostname }}"
    containers: [ready-redis]
    networks: [ready]
"""
RETURN = r"""
removed:
  description: A line for each thing that was removed, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample: [remove container ready-redis, remove network ready]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.apply_removal import remove_stack
from ansible.module_utils.ready.docker.state import EngineError, connect, sdk_errors
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "host": {"type": "str", "required": True},
            "containers": {"type": "list", "elements": "str", "default": []},
            "networks": {"type": "list", "elements": "str", "default": []},
            "volumes": {"type": "list", "elements": "str", "default": []},
            "data": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    wanted = {kind: params[kind] for kind in ("containers", "networks", "volumes")}
    try:
        removed = remove_stack(
            connect, params["stack"], wanted, params["host"], data=params["data"], dry_run=module.check_mode
        )
    except (EngineError, *sdk_errors()) as error:
        module.fail_json(
            msg=f"{params['host']}: the stack {params['stack']['name']} was not removed, or not all of it: "
            f"found {error}; expected a Docker daemon that removes it. Next: ./ready destroy again, when it answers"
        )
    result = {"changed": bool(removed.lines), "removed": removed.lines}
    if removed.lines:
        result["diff"] = {"prepared": "\n".join(removed.lines) + "\n"}
    if removed.faults:
        module.fail_json(msg="\n".join(removed.faults), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    redacting(main)()
