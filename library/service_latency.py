#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure how long every service takes to answer."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_latency
short_description: Measure how long every service takes to answer
description:
  - Builds a fixture in each service, measures one service after another with nothing else running, and removes the
    fixtures. Leftovers of interrupted runs go too, and nothing else is touched.
  - Per operation, it measures the cold first request, a warm-up, the service time on a kept connection, new
    connections, and the response time of requests at a fixed rate with the prober's own lateness beside it.
  - What does not pass is measured again, up to two more times.
  - The host's use of processors, memory and disk is reported before it (idle) and during it (loaded).
  - It reports and never fails because of what it finds. The action C(check_results) judges it.
  - Runs with the Python of the role C(probes), which has the drivers.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  services:
    description: Names of the services to measure; all of the stack's without it.
    type: list
    elements: str
  samples:
    description: Requests of each judged operation. A p99, and with it a baseline, takes at least 1000.
    type: int
    default: 1000
  timeout:
    description: Seconds for a single request.
    type: float
    default: 5.0
  deadline:
    description: Seconds after which no more measurement is begun.
    type: float
    default: 60.0
  previous:
    description: The earlier evidence of latency, for its baselines; empty when there is none.
    type: dict
    default: {}
attributes:
  check_mode: {support: full, description: What it writes it removes, so it does the same in check mode.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Measure latency
  service_latency:
    stack: "{{ ready_stack }}"
  vars:
    ansible_python_interpreter: /opt/ready/probes/bin/python
  register: __service_latency
"""
RETURN = r"""
services:
  description:
    - Per service V(image_id), V(size) of the fixture, V(error), V(complete), V(left) (why the fixture stays),
      V(refused) (why it was not built, where the service's own data would have suffered), and V(operations), each with
      V(objective_ms), V(judged) and V(runs).
  returned: always
  type: dict
  sample: {redis: {image_id: "sha256:1", size: keys, error: "", complete: true, left: "", refused: "", operations: {}}}
host:
  description: How busy the host was, V(idle) and V(loaded).
  returned: always
  type: dict
  sample: {idle: {cpu_percent: 2.5, memory_percent: 20.1, disk_percent: 30.0}}
samples:
  description: Requests of each judged operation that were asked for.
  returned: always
  type: int
seconds:
  description: How long all of it took.
  returned: always
  type: float
at:
  description: When it ended, UTC.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.checks.probe import TIMEOUT
from ansible.module_utils.ready.checks.runner import LATENCY_SECONDS, SAMPLES, CheckRunner
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "services": {"type": "list", "elements": "str"},
            "samples": {"type": "int", "default": SAMPLES},
            "timeout": {"type": "float", "default": TIMEOUT},
            "deadline": {"type": "float", "default": LATENCY_SECONDS},
            "previous": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    params = dict(module.params)
    runner = CheckRunner(params.pop("stack"), params.pop("timeout"))
    module.exit_json(changed=False, **runner.latency(**params))


if __name__ == "__main__":
    redacting(main)()
