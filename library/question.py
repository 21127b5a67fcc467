#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: question
short_description: Ask before something can't be undone
description:
  - Asks once for all hosts of the play, and fails unless the answer is C(yes).
  - Another answer fails with RV(declined), which the callback C(ready_output) prints as a plain line. Ctrl-C ends the
    whole run, where M(ansible.builtin.pause) asks a second question. Without a terminal the message names C(--yes).
author: [Ready authors]
options:
  prompt:
    description: What to type for what.
    type: str
    required: true
  declined:
    description: What did not happen then.
    type: str
    required: true
attributes:
  check_mode: {support: full, description: It only asks.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: N/A, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Ask for confirmation
  question:
    prompt: Type yes to remove it
    declined: Nothing was removed.
"""
RETURN = r"""
declined:
  description: Whether the answer was another one than yes.
  returned: when it was
  type: bool
  sample: true
"""
