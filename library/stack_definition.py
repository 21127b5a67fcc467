#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_definition
short_description: Resolve the service definitions with the inventory's variables into one stack
description:
  - Reads C(services/*.yml) and the host's variables on the controller; returns the fact C(ready_stack), without secrets.
  - Refuses unknown services and variables, ports that clash, values that do not fit and documented passwords,
    all of them in one message.
author: [Ready authors]
options:
  secrets:
    description:
      - V(read) takes the secrets that exist; V(present) also makes the missing ones (in check mode it only says so);
        V(ignore) does without, for verbs that must work when the vault key is lost.
    type: str
    choices: [read, present, ignore]
    default: read
attributes:
  check_mode: {support: full, description: Makes no secrets in check mode.}
  diff_mode: {support: none, description: Secrets are not shown.}
  idempotent: {support: full, description: Secrets that exist are never made anew.}
"""
EXAMPLES = r"""
- name: Resolve the stack
  stack_definition:
"""
RETURN = r"""
ansible_facts:
  description: Holds V(ready_stack).
  returned: always
  type: dict
  contains:
    ready_stack:
      description:
        - V(name), V(network), V(image_source), V(evidence_dir), V(ready_version), V(services) by name, and V(secrets)
          with V(exists), V(missing) and V(path).
      returned: always
      type: dict
made:
  description: The accounts that got a new password, as C(service/account).
  returned: always
  type: list
  elements: str
"""
