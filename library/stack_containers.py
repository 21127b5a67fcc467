#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a stack's network and containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_containers
short_description: Make a stack's network and containers as the plan says, in one call
description:
  - Creates, recreates and starts containers in the order that is given; the volumes of one that is recreated stay. It
    does not wait until services are ready; C(stack_wait) does.
  - What trials of interrupted runs have left behind goes first.
  - What has the name of one and does not carry the stack's label is not touched; that is a fault.
  - A container that can't be made does not keep the others; the module fails at its end and says all of them.
  - Own, not docker_network and docker_container, which take a call for each thing and compare once more what the plan
    has compared.
author: [Ready authors]
options:
  stack:
    description: The stack's name.
    type: str
    required: true
  host:
    description: What messages call this host.
    type: str
    required: true
  network:
    description: The network to make; none when it is there.
    type: str
  containers:
    description: Each with C(service) and C(action), V(create), V(recreate) or V(start).
    type: list
    elements: dict
    required: true
  specs:
    description: Service to its container, by the fields of C(ContainerSpec), as the plan has it.
    type: dict
    required: true
  kept:
    description:
      - Services whose container of before is kept, stopped and under another name, until C(stack_replaced).
      - When a container can't be made, those of all of them come back, with their files.
    type: list
    elements: str
    default: []
attributes:
  check_mode: {support: full, description: Says that it would do what the plan says.}
  diff_mode: {support: full, description: A line for each thing.}
  idempotent: {support: partial, description: It starts what runs no second time; V(recreate) is done each time.}
"""
EXAMPLES = r"""
- name: Apply the plan
  stack_containers:
    stack: "{{ ready_stack.name }}"
    host: "{{ inventory_hostname }}"
    network: "{{ ready_stack.network }}"
    containers: "{{ __container_service.plan.containers }}"
    specs: "{{ __container_service.plan.specs }}"
"""
RETURN = r"""
done:
  description: A line for each thing that was done.
  returned: always
  type: list
  elements: str
  sample: [create network ready, create container ready-redis]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.apply import make
from ansible.module_utils.ready.docker.spec import ContainerSpec
from ansible.module_utils.ready.docker.state import EngineError, connect, sdk_errors
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "str", "required": True},
            "host": {"type": "str", "required": True},
            "network": {"type": "str"},
            "containers": {"type": "list", "elements": "dict", "required": True},
            "specs": {"type": "dict", "required": True},
            "kept": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    params = module.params
    if module.check_mode:
        module.exit_json(changed=bool(params["network"] or params["containers"]), done=[])
    try:
        made = make(
            connect(),
            params["host"],
            params["stack"],
            params["network"],
            params["containers"],
            {name: ContainerSpec.from_dict(its) for name, its in params["specs"].items()},
            params["kept"],
        )
    except (EngineError, *sdk_errors()) as error:
        module.fail_json(
            msg=f"{params['host']}: the network and containers of the stack {params['stack']} could not be made: "
            f"found {error}; expected a Docker daemon that makes them. Next: ./ready up again, when it answers"
        )
    result = {"changed": bool(made.lines), "done": made.lines}
    if made.lines:
        result["diff"] = {"prepared": "\n".join(made.lines) + "\n"}
    if made.faults:
        module.fail_json(msg="\n".join(made.faults), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    redacting(main)()
