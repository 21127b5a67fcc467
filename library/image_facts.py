#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read an image's id and engine version."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_facts
short_description: Read id and engine version of images
description:
  - The engine version is the image's label of ours; an image without it is asked by its version command, in a container
    without network that is removed at once.
author: [Ready authors]
options:
  images:
    description: Service to C(ref), C(version_command) (may be missing) and C(version), which counts without it.
    type: dict
    required: true
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Read the image facts
  image_facts:
    images: {redis: {ref: "redis:7", version_command: [redis-server, --version], version: "7"}}
"""
RETURN = r"""
images:
  description: Service to V(id) and V(engine_version).
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.state import EngineError, connect
from ansible.module_utils.ready.images.registries import registry_reason
from ansible.module_utils.ready.images.sources import image_facts
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={"images": {"type": "dict", "required": True}}, supports_check_mode=True)
    found = {}
    try:
        client = connect()
        for name, image in module.params["images"].items():
            try:
                found[name] = image_facts(client, image["ref"], image.get("version_command") or [], image["version"])
            except Exception as error:
                module.fail_json(msg=f"{name}: image {image['ref']}: {registry_reason(error)}")
    except EngineError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, images=found)


if __name__ == "__main__":
    redacting(main)()
