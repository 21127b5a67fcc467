#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_definition
short_description: Resolve the service definitions with the inventory's variables into one stack
description:
  - Reads C(services/*.yml) and the host's variables on the controller, and makes the host's variable C(ready_stack),
    without secrets; name, network, image_source, evidence_dir, ready_version, services by name, secrets with
    exists, missing, unset (services elsewhere whose key is missing), path, certificates with origin, due, fault by
    service that speaks TLS, authorities with the path of the CA certificate that its clients verify with, schedules of
    its backups, repository_given, and owner with id, known, inventory, user, host, adopts.
  - Refuses unknown services and variables, ports that clash, values that do not fit, misspelt names in the secrets
    file, documented passwords and those that a service can't take, all of them in one message.
author: [Ready authors]
options:
  secrets:
    description:
      - V(read) takes the secrets that exist; V(present) also makes the missing ones, the owner's id among them, and
        renews certificates that are due (in check mode it only says so); V(rotate) takes the secrets that exist and
        lets refused passwords pass, because they are about to be replaced;
        V(ignore) does without, for verbs that must work when the vault key is lost.
    type: str
    choices: [read, present, rotate, ignore]
    default: read
  endpoints:
    description:
      - Whether the verb knows services elsewhere by name, and is about their keys, of which one may be unusable.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: Makes no secrets in check mode.}
  diff_mode: {support: none, description: Secrets are not shown.}
  idempotent: {support: full, description: Secrets that exist are never replaced.}
"""
EXAMPLES = r"""
- name: Resolve the stack
  stack_definition:
"""
RETURN = r"""
made:
  description: The accounts that got a new password, as C(service/account), new certificates, as
    C(service/certificate), and V(owner) for the owner's id.
  returned: always
  type: list
  elements: str
"""
