#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Show the Kailash frameworks working on a stack's services."""

from __future__ import annotations

DOCUMENTATION = r"""
module: frameworks
short_description: Show the Kailash frameworks working on a stack's services
description:
  - Runs the example application and what looks at it in a container of the image C(kailash) in the stack's network. The
    container has no rights, limits for memory, processors and processes, and an end.
  - Everything that a run writes is under its own names, the database, collections, keys and label
    C(ready_frameworks), and is removed before and after, also what an interrupted run left. A database of that name
    which no run made is refused.
  - The settings are those of C(./ready env --for container --secrets). They are put into the container as a file that
    its user alone may read.
  - It reports and never fails because of what it finds. Its action judges it.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  image:
    description: Id of the image C(kailash).
    type: str
    required: true
  only:
    description: The parts of the run.
    type: list
    elements: str
    choices: [core, dataflow, nexus, mcp, workflow]
    default: [core, dataflow, nexus, mcp, workflow]
  time_limit:
    description: Seconds that the parts may take together.
    type: float
    default: 600.0
  tokens:
    description: How many tokens an AI endpoint elsewhere may use.
    type: int
    default: 20000
  external:
    description: Keys and CA certificates of services elsewhere, packed; the action plugin gives it.
    type: str
    default: ""
  application:
    description: The example application as a tar in base64; the action plugin gives it.
    type: str
    default: ""
attributes:
  check_mode: {support: full, description: Nothing is run in check mode.}
  diff_mode: {support: N/A, description: What it changes it undoes.}
  idempotent: {support: full, description: What it changes it undoes.}
"""
EXAMPLES = r"""
- name: Run the frameworks against the stack
  frameworks:
    stack: "{{ ready_stack }}"
    image: "{{ ready_images.kailash.id }}"
  register: __frameworks
"""
RETURN = r"""
report:
  description: >-
    V(verdict) and V(results) for the evidence, V(rows) and V(next) as they are shown, and V(failed), the parts that
    failed.
  returned: when it was run
  type: dict
found:
  description: Part to what was found, and C(cleanup); of a part that left nothing there is nothing.
  returned: when it was run
  type: dict
  sample: {core: {verdict: pass, detail: "", findings: []}}
run:
  description: How the container ended; V(output) is the end of its output.
  returned: when it was run
  type: dict
  sample: {exit_code: 0, timed_out: false, oom_killed: false, seconds: 95.1, output: ""}
database:
  description: >-
    Whether the database was V(made) and V(dropped), and whether a run had V(left) one; V(fault) and V(stays) say why
    not.
  returned: when it was run
  type: dict
  sample: {left: false, made: true, fault: "", dropped: true, stays: ""}
out_of_reach:
  description: Service elsewhere to why no container reaches it.
  returned: when it was run
  type: dict
  sample: {}
"""

import base64

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.applications.frameworks import PARTS
from ansible.module_utils.ready.applications.frameworks_run import Run
from ansible.module_utils.ready.applications.scratch_database import ForeignDatabaseError
from ansible.module_utils.ready.connections.settings import NetworkSettingsError
from ansible.module_utils.ready.docker.state import EngineError, connect, sdk_errors
from ansible.module_utils.ready.secrets.redaction import redacted, redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "image": {"type": "str", "required": True},
            "only": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
            "time_limit": {"type": "float", "default": 600.0},
            "tokens": {"type": "int", "default": 20000},
            "external": {"type": "str", "default": "", "no_log": True},
            "application": {"type": "str", "default": "", "no_log": True},
        },
        supports_check_mode=True,
    )
    its = module.params
    if module.check_mode:
        module.exit_json(changed=False)
    try:
        run = Run(
            client=connect(),
            stack=its["stack"],
            image=its["image"],
            application=base64.b64decode(its["application"]),
            parts=its["only"],
            seconds=its["time_limit"],
            tokens=its["tokens"],
            external=its["external"],
        )
        found = run()
    except (EngineError, ForeignDatabaseError, NetworkSettingsError, *sdk_errors()) as error:
        module.fail_json(msg=redacted(error))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    redacting(main)()
