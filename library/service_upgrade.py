#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Move a service's data to another engine, and back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_upgrade
short_description: Move a service's data to another engine's image, and back
description:
  - With V(look) it fails when the move would lose something or can't succeed; nothing is changed, also in check mode.
  - With V(prepare) the old container is stopped, its data volumes are copied aside, moved, and opened by the new engine
    in a container that no client reaches; the container of the service itself is left to the role C(container_service).
  - With V(rollback) the volumes become what they were; with V(finish) the journal is removed, and so are copies that
    the compatibility matrix does not want kept.
  - Every step is in a journal on the host first, so that V(rollback) also undoes a run that was killed.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  action:
    description: What to do.
    type: str
    choices: [look, prepare, rollback, finish]
    required: true
  move:
    description: >-
      For V(look) and V(prepare), one of the steps that C(upgrade_plan) returns; the others find it in the journal.
    type: dict
  lose_databases:
    description: Databases of PostgreSQL that may be lost although no dump can hold them.
    type: list
    elements: str
    default: []
  deadline:
    description: Seconds that the new engine may take to open or migrate the data.
    type: float
    default: 900.0
attributes:
  check_mode: {support: full, description: Says that something would be done.}
  diff_mode: {support: none, description: Data have no useful difference.}
  idempotent: {support: full, description: Without a journal all but V(prepare) do nothing.}
"""
EXAMPLES = r"""
- name: Move the data
  service_upgrade:
    stack: "{{ ready_stack }}"
    action: prepare
    move: "{{ item }}"
"""
RETURN = r"""
figures:
  description: What the store holds (V(contents)), and the seconds that copying and moving took.
  returned: for V(prepare)
  type: dict
  sample: {contents: {db0 keys: 3}, copy_seconds: 1.2, move_seconds: 0.9}
unproven:
  description: Expressions and databases of which nothing is known before the move.
  returned: for V(look)
  type: list
  elements: str
  sample: ["app: materialized view public.slow: canceling statement due to statement timeout"]
move:
  description: The move that the journal names.
  returned: for V(rollback), when there is a journal
  type: dict
kept:
  description: Volumes with the old data that stay.
  returned: for V(finish)
  type: list
  elements: str
  sample: [ready_redis_data_before_8]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.backups.manifest import BackupError
from ansible.module_utils.ready.docker.state import EngineError, connect, sdk_errors
from ansible.module_utils.ready.host import upgrade_journal
from ansible.module_utils.ready.secrets.redaction import redacted, redacting
from ansible.module_utils.ready.upgrades.service_upgrade import ServiceUpgrade


def act(
    stack: dict[str, Any], action: str, move: dict[str, Any] | None, deadline: float, lose: list[str]
) -> dict[str, Any]:
    """Do what was asked for, by the journal, and return what the module returns."""
    from ansible.module_utils.ready.backups.helper_containers import LONG  # brings the Docker SDK along

    entry = upgrade_journal.read(stack["name"])
    if action == "look" and move:
        return {"changed": False, "unproven": ServiceUpgrade(connect(LONG), stack, move, deadline).check(lose)}
    if action == "prepare" and move:
        return {"changed": True, "figures": ServiceUpgrade(connect(LONG), stack, move, deadline).prepare(lose)}
    if entry is None:
        return {"changed": False, "kept": []}
    upgrade = ServiceUpgrade(connect(LONG), stack, entry["move"], deadline)
    if action == "rollback":
        upgrade.rollback(entry)
        return {"changed": True, "move": entry["move"]}
    return {"changed": True, "kept": upgrade.finish(entry)}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "action": {"type": "str", "choices": ["look", "prepare", "rollback", "finish"], "required": True},
            "move": {"type": "dict"},
            "deadline": {"type": "float", "default": 900.0},
            "lose_databases": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
        required_if=[("action", "look", ["move"]), ("action", "prepare", ["move"])],
    )
    stack, action = module.params["stack"], module.params["action"]
    if module.check_mode and action != "look":
        module.exit_json(changed=action == "prepare", figures={}, kept=[])
    try:
        with upgrade_journal.held(stack["name"]):
            its = module.params
            result = act(stack, action, its["move"], its["deadline"], its["lose_databases"])
    except (EngineError, BackupError, upgrade_journal.JournalError, *sdk_errors()) as error:
        module.fail_json(msg=redacted(error))
    module.exit_json(**result)


if __name__ == "__main__":
    redacting(main)()
