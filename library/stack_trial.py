#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Try changed services before their running containers are touched."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_trial
short_description: Try changed services on empty data before their running containers are touched
description:
  - Starts each service once more, from the same image with its new files, command and limits, without network, port or
    data, all at the same time and for as long as the longest C(health.deadline) among them says, at least 20 seconds
    and at most 60; then removes what it made.
  - A service for whose limit the host has no memory left is not tried; a line says so.
  - It reports and never fails for a service that does not start.
  - In playbooks the action plugin of the same name is called; it renders the files on the controller and hands them to
    this module, so that no secret ever is in a variable.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  host:
    description: What lines call this host.
    type: str
    required: true
  services:
    description: The services, and sidecars, to try.
    type: list
    elements: str
    required: true
  specs:
    description: Service to its container, as for C(stack_containers).
    type: dict
    required: true
  images:
    description: Image to what it is, with its C(id).
    type: dict
    required: true
  files:
    description: JSON, service to path to mode and base64 content. Filled in by the action plugin.
    type: str
attributes:
  check_mode: {support: full, description: Tries nothing in check mode.}
  diff_mode: {support: N/A, description: Nothing of it stays.}
  idempotent: {support: full, description: Nothing of it stays.}
"""
EXAMPLES = r"""
- name: Try changed services
  stack_trial:
    stack: "{{ ready_stack }}"
    host: "{{ inventory_hostname }}"
    services: [redis]
    specs: "{{ __container_service.plan.specs }}"
    images: "{{ ready_images }}"
  register: __stack_trial
"""
RETURN = r"""
services:
  description: Per service that was tried how it went, as C(stack_wait) returns it.
  returned: always
  type: dict
  sample: {redis: {healthy: false, state: exited, detail: the container is exited (exit code 1)}}
fault:
  description: Which services do not start with what has changed, with the next steps; empty when all do.
  returned: when any was tried
  type: str
lines:
  description: A line for each service that was not tried, or whose trial decided nothing.
  returned: always
  type: list
  elements: str
  sample: ["pc1: neo4j: not tried first: found 900 MiB of memory available, expected 1,792 MiB"]
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.common.units import mib
from ansible.module_utils.ready.docker.spec import ContainerSpec
from ansible.module_utils.ready.docker.state import EngineError, connect, reason, sdk_errors
from ansible.module_utils.ready.docker.trial import try_out
from ansible.module_utils.ready.host.facts import memory_facts
from ansible.module_utils.ready.preflight.limits import Limits
from ansible.module_utils.ready.preflight.memory import free_memory, room_to_try
from ansible.module_utils.ready.secrets.file_transfer import unpack_files
from ansible.module_utils.ready.secrets.redaction import redacted, redacting
from ansible.module_utils.ready.stack.image_names import image_name
from ansible.module_utils.ready.stack.resolved import containers


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "host": {"type": "str", "required": True},
            "services": {"type": "list", "elements": "str", "required": True},
            "specs": {"type": "dict", "required": True},
            "images": {"type": "dict", "required": True},
            "files": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    if module.check_mode:
        module.exit_json(changed=False, services={}, lines=[])
    everything = containers(params["stack"])
    services = {name: everything[name] for name in params["services"]}
    names, left_out = list(services), []
    margin = Limits().memory_margin
    available = free_memory(memory_facts())
    if not os.environ.get("DOCKER_HOST", "").startswith("tcp:"):  # of another machine's memory nothing is known
        names, left_out = room_to_try(services.values(), available - margin)
    lines = [
        f"{params['host']}: {name}: its changes are not tried first: found {mib(available)} of memory available, "
        f"expected {mib(services[name]['limits']['memory'] + margin)} or more"
        for name in left_out
    ]
    try:
        found = try_out(
            connect(),
            {name: services[name] for name in names},
            {name: ContainerSpec.from_dict(its) for name, its in params["specs"].items()},
            {name: params["images"][image_name(name, services[name])]["id"] for name in names},
            unpack_files(params["files"]),
        )
    except (EngineError, *sdk_errors()) as error:
        module.fail_json(
            msg=f"{params['host']}: the changes could not be tried: found {redacted(reason(error))}; expected a Docker "
            "daemon that starts containers. Nothing was changed. Next: ./ready up again, when it answers"
        )
    module.exit_json(changed=False, services=found, lines=lines)


if __name__ == "__main__":
    redacting(main)()
