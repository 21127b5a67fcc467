#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read the state of a whole stack in one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_state
short_description: Read the state of a whole stack from Docker
description:
  - Reads daemon, network, containers, volumes, images and the content of the config volumes in one call,
    because every task costs a round trip; nothing is changed.
  - In playbooks the action plugin of the same name is called; it also makes the host's variable C(ready_state).
  - A daemon that does not answer is a state like any other, not a failure.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Read what exists
  stack_state:
    stack: "{{ ready_stack }}"
  register: __stack_state
"""
RETURN = r"""
state:
  description:
    - What exists; V(reachable) says whether the daemon answered, V(reason) why not.
    - V(services) maps a service to V(exists), V(ours), V(running), V(status), V(health), V(image), V(config),
      V(files_hash), V(reload_hash), V(every_hash).
    - V(volumes) maps a name to V(exists), V(ours), V(labels), V(service); V(others) are containers with our label
      that the inventory does not name, V(other_networks) such networks; V(upgrade) is what an
      interrupted upgrade has begun, V(restore) what an interrupted restore has left half done.
    - V(backups) is the directory in which backups work on the host, empty where there is none; V(outcomes) is how the
      last runs by timer ended. The action plugin leaves out those that the evidence on the controller says already.
    - V(installed) says what the environment of the probes was made from, the hash of the stack's description,
      what the settings of its backups were made from, and which timers there are.
  returned: always
  type: dict
  sample: {reachable: true, network: {exists: true, ours: true}, services: {}, volumes: {}, others: [], upgrade: null}
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.state import EngineError, absent_state, connect, read_state
from ansible.module_utils.ready.host import restore_journal
from ansible.module_utils.ready.host.installed import read_installed
from ansible.module_utils.ready.host.upgrade_journal import JournalError
from ansible.module_utils.ready.secrets.redaction import redacting
from ansible.module_utils.ready.stack.resolved import containers
from ansible.module_utils.ready.stack.schedules import last_outcomes
from ansible.module_utils.ready.stack.schedules import read as read_schedules


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={"stack": {"type": "dict", "required": True}}, supports_check_mode=True)
    stack = module.params["stack"]
    services = list(containers(stack).values())
    try:
        state = read_state(connect(), stack["name"], stack["network"], services)
    except JournalError as error:
        module.fail_json(msg=str(error))
    except EngineError as error:
        state = absent_state(services, str(error))
    state["installed"] = read_installed(Path(stack["probes"]["directory"]), stack["name"])
    state["restore"] = restore_journal.read(stack["name"])
    state["backups"] = restore_journal.directory_of(stack["name"])
    state["outcomes"] = last_outcomes(state["backups"])
    state["installed"] |= read_schedules(stack["name"])
    module.exit_json(changed=False, state=state)


if __name__ == "__main__":
    redacting(main)()
