#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: upgrade_rollback
short_description: Decide what an upgrade can be rolled back to
description:
  - Decides whether a backup set is made before the upgrade, beside the copies of the data volumes. Fails where the host
    lacks the disk space for these copies and for the moved data.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  wanted:
    description: The moves that are upgrades, as C(upgrade_plan) returned them.
    type: list
    elements: dict
    required: true
  details:
    description: What C(stack_details) read of these services, with the bytes of each volume.
    type: dict
    required: true
  facts:
    description: What C(host_facts) read.
    type: dict
    required: true
  repository:
    description: The backup repository that the inventory names; empty without one.
    type: str
    default: ""
  configured:
    description: Whether the host has settings of backups, as C(./ready backup) leaves them.
    type: bool
    required: true
  without_backup:
    description: Whether no set is wanted.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Decide what a rollback restores
  upgrade_rollback:
    stack: "{{ ready_stack }}"
    wanted: "{{ __upgrade_plan.wanted }}"
    details: "{{ __upgrade_details.details }}"
    facts: "{{ __upgrade_host.facts }}"
    repository: "{{ upgrade_repository }}"
    configured: "{{ __upgrade_backups.stat.exists }}"
  register: __upgrade_rollback
"""
RETURN = r"""
kind:
  description: V(set) for a backup set that is made and proven, V(copy) for copies alone, V(none) where no data move.
  returned: always
  type: str
services:
  description: The upgraded services that keep data.
  returned: always
  type: list
  elements: str
reason:
  description: Why no set is made; empty when one is.
  returned: always
  type: str
lines:
  description: What people read about it before anything is done.
  returned: always
  type: list
  elements: str
"""
