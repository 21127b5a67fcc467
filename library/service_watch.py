#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_watch
short_description: Ask every service again and again, and print what changes
description:
  - Runs the module M(service_health) every so many seconds. A line is printed for every service in the first round, and
    then for each that has changed; a summary ends it.
  - It reports and never fails because of what it finds.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  interval:
    description: Seconds from the start of a round to the start of the next; a round that takes longer delays it.
    type: float
    default: 5.0
  count:
    description: How many rounds; 0 continues until it is interrupted, which prints the summary too.
    type: int
    default: 0
  level:
    description: As of M(service_health).
    type: str
    choices: [probe, deep]
    default: probe
  deadline:
    description: Seconds for all services together, in each round.
    type: float
    default: 20.0
attributes:
  check_mode: {support: full, description: What it writes it removes, so it does the same in check mode.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Watch for a minute
  service_watch:
    stack: "{{ ready_stack }}"
    interval: 5
    count: 12
  vars:
    ansible_python_interpreter: /opt/ready/probes/bin/python
  register: __service_watch
"""
RETURN = r"""
lines:
  description: What it printed; the last lines are the summary.
  returned: when it watched to its last round
  type: list
  elements: str
watched:
  description:
    - V(rounds), V(verdict) (V(fail) when a service failed in any round), and per service in V(services) its last
      V(verdict), V(failed_rounds) and V(longest_outage_seconds).
  returned: always
  type: dict
  sample: {rounds: 12, verdict: pass, services: {redis: {verdict: pass, failed_rounds: 0, longest_outage_seconds: 0.0}}}
"""
