#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Push images to the site's registry."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_push
short_description: Push images to the site's registry
description:
  - Pushes images as they are, labels and all. What the registry has already is left alone; a name that is another
    image's there is refused before anything is pushed.
  - Own, not community.docker's, which asks nobody what it overwrites and says nothing of the digest.
author: [Ready authors]
extends_documentation_fragment: [registry]
options:
  images:
    description: Image to C(id), C(repository) with the registry's address, and C(tag).
    type: dict
    required: true
  force:
    description: Replace what is another image at the registry.
    type: bool
    default: false
attributes:
  check_mode: {support: full, description: Says what would be pushed.}
  diff_mode: {support: none, description: An image has no useful difference.}
  idempotent: {support: full, description: What is there already is not pushed again.}
"""
EXAMPLES = r"""
- name: Push the images to the registry
  image_push:
    images:
      redis: {id: "{{ ready_images.redis.id }}", repository: mirror.example:5000/ready/built/redis, tag: 7-2619400844ab}
"""
RETURN = r"""
pushed:
  description: Image to V(action) (pushed, replaced or unchanged) and V(digest), "" where check mode can't know it.
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.state import EngineError, connect
from ansible.module_utils.ready.images.push import PUSH_TIMEOUT, PushError, look_at_registry, push_image, push_refusals
from ansible.module_utils.ready.images.registries import credentials
from ansible.module_utils.ready.secrets.redaction import redacted, redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "images": {"type": "dict", "required": True},
            "force": {"type": "bool", "default": False},
            "username": {"type": "str", "default": ""},
            "password": {"type": "str", "default": "", "no_log": True},
            "timeout": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    want = module.params
    auth = credentials(want)
    images, pushed = want["images"], {}
    try:
        found = look_at_registry(connect(want["timeout"]), images, auth)
        if not want["force"] and (refused := push_refusals(images, found)):
            module.fail_json(msg="\n".join(refused))
        for name, image in images.items():
            there = found[name]["found"]
            action = "unchanged" if there == image["id"] else "replaced" if there else "pushed"
            digest = found[name]["digest"] if action == "unchanged" else ""
            if action != "unchanged" and not module.check_mode:
                digest = push_image(connect(PUSH_TIMEOUT), name, image, auth)
            pushed[name] = {"action": action, "digest": digest}
    except (EngineError, PushError) as error:
        done = [name for name, its in pushed.items() if its["action"] != "unchanged"]
        module.fail_json(msg=redacted(error) + (f" (pushed before: {', '.join(done)})" if done else ""))
    module.exit_json(changed=any(its["action"] != "unchanged" for its in pushed.values()), pushed=pushed)


if __name__ == "__main__":
    redacting(main)()
