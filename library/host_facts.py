#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read what a host is and has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_facts
short_description: Read what a host is and has, Docker included
description:
  - Reads operating system, memory, disk, listening ports with their processes, Docker, init system, WSL, clock, proxy
    and CA in one call; Python's standard library suffices, and Docker may be absent.
  - Under WSL it asks Windows as well what listens there.
author: [Ready authors]
options:
  ports:
    description: Ports that will be asked for; under WSL the Windows processes are named for these alone.
    type: list
    elements: int
    default: []
  controller_time:
    description: The controller's time in seconds since 1970, returned as it is for a comparison of clocks.
    type: float
  wait_for_docker:
    description: Read again until Docker answers, for at most so many seconds.
    type: float
    default: 0
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Gather host facts
  host_facts:
    ports: [5432, 6379]
    controller_time: "{{ now().timestamp() }}"
  register: __host
"""
RETURN = r"""
facts:
  description:
    - V(os), V(architecture), V(kernel), V(python), V(is_root), V(memory) and V(disk) in bytes, V(listening) and
      V(windows_listening) as lists of address, port, pid and process, V(docker) (host, reachable, reason, version,
      desktop, rootless, published ports, whether Ready manages it), V(sdk_version), V(init), V(limits), V(wsl),
      V(time), V(proxy) with passwords masked, V(ca).
  returned: always
  type: dict
  sample: {architecture: x86_64, is_root: true, init: {name: systemd, systemd: true}}
log:
  description: The last lines of the daemon's log, when it was waited for in vain.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.host.engine_probe import log_tail, wait
from ansible.module_utils.ready.host.facts import gather
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "ports": {"type": "list", "elements": "int", "default": []},
            "controller_time": {"type": "float"},
            "wait_for_docker": {"type": "float", "default": 0},
        },
        supports_check_mode=True,
    )
    params = module.params
    facts = wait(lambda: gather(params["ports"], params["controller_time"]), params["wait_for_docker"])
    silent = params["wait_for_docker"] and not facts["docker"]["reachable"]
    module.exit_json(changed=False, facts=facts, log=log_tail() if silent else [])


if __name__ == "__main__":
    redacting(main)()
