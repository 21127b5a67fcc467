#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Let go of containers that were replaced, or bring them back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_replaced
short_description: Let go of containers that were replaced, or bring them back
description:
  - Where the new container is healthy, the one of before is removed, and the copy of its files.
  - Where it is not, the container and the files of before come back and are waited for. Not once accounts were set, for
    the old passwords may be wrong then, and not while the store says that it is recovering its data.
  - At no time do two containers run on one data volume.
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
  kept:
    description: The services whose container of before is kept.
    type: list
    elements: str
    required: true
  specs:
    description: Service to its new container, as for C(stack_containers).
    type: dict
    required: true
  waited:
    description: Service to how the wait for it ended, as C(stack_wait) returned it.
    type: dict
    required: true
attributes:
  check_mode: {support: full, description: Changes nothing in check mode.}
  diff_mode: {support: none, description: Files hold secrets.}
  idempotent: {support: full, description: What is gone is not looked for again.}
"""
EXAMPLES = r"""
- name: Remove the replaced container or bring it back
  stack_replaced:
    stack: "{{ ready_stack }}"
    host: "{{ inventory_hostname }}"
    kept: [redis]
    specs: "{{ __container_service.plan.specs }}"
    waited: "{{ __container_service_wait.services }}"
"""
RETURN = r"""
services:
  description:
    - Per service whose new container is not healthy, in C(replaced), V(back), whether the one of before is back,
      V(healthy), whether that is healthy, and V(left), why it is not back, V(accounts) or V(recovers).
  returned: always
  type: dict
  sample: {redis: {replaced: {back: true, healthy: true, left: ""}}}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.replace import Replacing
from ansible.module_utils.ready.docker.spec import ContainerSpec
from ansible.module_utils.ready.docker.state import EngineError, connect, reason, sdk_errors
from ansible.module_utils.ready.secrets.redaction import redacting
from ansible.module_utils.ready.stack.resolved import containers


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "host": {"type": "str", "required": True},
            "kept": {"type": "list", "elements": "str", "required": True},
            "specs": {"type": "dict", "required": True},
            "waited": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    if module.check_mode:
        module.exit_json(changed=False, services={})
    stack = params["stack"]
    everything = containers(stack)
    deadlines = {name: float(everything[name]["health"]["deadline"]) for name in params["kept"]}
    try:
        replacing = Replacing(
            connect(),
            stack["name"],
            {name: ContainerSpec.from_dict(its) for name, its in params["specs"].items()},
            params["kept"],
        )
        found = replacing.finish(params["waited"], deadlines)
    except (EngineError, *sdk_errors()) as error:
        module.fail_json(
            msg=f"{params['host']}: found {reason(error)} while replaced containers of the stack {stack['name']} were "
            "let go or brought back; expected a Docker daemon that does it. Next: ./ready up again, when it answers"
        )
    module.exit_json(
        changed=any(its["back"] for its in found.values()),
        services={name: {"replaced": its} for name, its in found.items()},
    )


if __name__ == "__main__":
    redacting(main)()
