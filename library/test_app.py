#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run an application's own tests against a stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: test_app
short_description: Run an application's own tests against a stack
description:
  - In playbooks the action plugin of the same name is called. It reads the application on the controller, and hands a
    copy of it to this module, which runs the tests in a throwaway container in the stack's network.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  application:
    description: The inventory's C(application).
    type: dict
    default: {}
  image:
    description: The image with the Kailash packages, or the layer over it that has what the application needs.
    type: str
    default: ""
  look:
    description:
      - Only say what will be tested, and which image it takes. Nothing is run; nothing is changed.
    type: bool
    default: false
  timeout:
    description: Seconds that a test may take.
    type: float
    default: 60
  time_limit:
    description: Seconds that all tests together may take.
    type: float
    default: 1800
  memory:
    description: Memory of the container in bytes.
    type: int
    default: 2147483648
  request:
    description: What is run, without its secrets. Filled in by the action plugin.
    type: dict
    default: {}
  source:
    description: The tar of the application on the host. Filled in by the action plugin; removed once it is read.
    type: path
    default: ""
  external:
    description: Keys and certificates of services elsewhere, packed. Filled in by the action plugin.
    type: str
    default: ""
attributes:
  check_mode: {support: partial, description: With O(look=true) alone.}
  diff_mode: {support: none, description: It changes nothing of the stack.}
  idempotent: {support: none, description: The tests are run each time.}
"""
EXAMPLES = r"""
- name: Run the application's tests
  test_app:
    stack: "{{ ready_stack }}"
    application: "{{ application }}"
    image: "{{ __test_app_image.image.ref }}"
  register: __test_app
"""
RETURN = r"""
verdict:
  description: Of the evidence.
  returned: when the tests were run
  type: str
results:
  description: Of the evidence, as schemas/evidence/test_app.schema.json says.
  returned: when the tests were run
  type: dict
rows:
  description: For the table.
  returned: when the tests were run
  type: list
lines:
  description: What is shown below it.
  returned: when the tests were run
  type: list
output:
  description: The end of what the tests printed, without the stack's passwords.
  returned: when the tests were run
  type: str
recipe:
  description: The recipe of the image that the application needs, for M(image_build); empty when it needs nothing more.
  returned: with O(look=true)
  type: str
"""

import socket
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.applications.job_settings import job_settings
from ansible.module_utils.ready.connections.settings import NetworkSettingsError
from ansible.module_utils.ready.docker.state import EngineError, connect
from ansible.module_utils.ready.secrets.redaction import redacting, register_secrets
from ansible.module_utils.ready.testapp.running import Request, run


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "application": {"type": "dict", "default": {}},
            "image": {"type": "str", "default": ""},
            "look": {"type": "bool", "default": False},
            "timeout": {"type": "float", "default": 60.0},
            "time_limit": {"type": "float", "default": 1800.0},
            "memory": {"type": "int", "default": 2 * 2**30},
            "request": {"type": "dict", "default": {}},
            "source": {"type": "path", "default": ""},
            "external": {"type": "str", "default": "", "no_log": True},
        },
        supports_check_mode=True,
    )
    want = module.params
    if module.check_mode:
        module.exit_json(changed=False)
    try:
        client = connect(int(want["time_limit"]) + 600)
        source = Path(want["source"])
        content = source.read_bytes()
        source.unlink()  # who interrupts the run would leave it
        its = job_settings(client, want["stack"], want["external"])
        register_secrets(its.secrets)
        request = Request(
            stack=want["stack"]["name"],
            network=want["stack"]["network"],
            image=want["image"],
            source=content,
            settings=its,
            timeout=want["timeout"],
            deadline=want["time_limit"],
            memory=want["memory"],
            **want["request"],
        )
        result, output = run(client, request, socket.gethostname())
    except (EngineError, NetworkSettingsError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=False,
        verdict=result.verdict,
        results=result.results,
        rows=result.rows,
        lines=result.next,
        output=output,
    )


if __name__ == "__main__":
    redacting(main)()
