#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Note which images of a host Ready built or loaded."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_record
short_description: Note which images of a host Ready built or loaded
description:
  - Keeps C(/var/lib/ready/images.json) on the host, by which C(prune) tells Ready's images from those that somebody
    built from them. C(image_build) notes what it builds by itself.
author: [Ready authors]
options:
  ids:
    description: Ids of images. Without any, the record is only read.
    type: list
    elements: str
    default: []
  state:
    description: V(present) notes them, V(absent) forgets them.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode: {support: full, description: Says whether the record would change.}
  diff_mode: {support: none, description: Ids have no useful difference.}
  idempotent: {support: full, description: What is noted already is no change.}
"""
EXAMPLES = r"""
- name: Record the image as ours
  image_record:
    ids: ["{{ __loaded.images[0].Id }}"]
"""
RETURN = r"""
ids:
  description: All ids that are noted.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.images.record import RECORD, record_images, record_would_change, recorded_images
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "ids": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    forget = module.params["state"] == "absent"
    try:
        act = record_would_change if module.check_mode else record_images
        changed = act(module.params["ids"], forget=forget)
    except OSError as error:
        module.fail_json(
            msg=f"{RECORD}: found {error}; expected to write there which images are Ready's. Next: remove the cause, "
            "then run this again"
        )
    module.exit_json(changed=changed, ids=recorded_images())


if __name__ == "__main__":
    redacting(main)()
