#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fill small named volumes with configuration and secrets."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_files
short_description: Make a stack's volumes, and its config volumes hold exactly the given files
description:
  - All volumes of a stack in one call, because every task costs a round trip; community.docker.docker_volume would
    take one for each of them.
  - Through a helper container that is never started; content travels in the API's archive call only.
  - In playbooks the action plugin of the same name is called; it renders the files on the controller and hands
    them to this module, so that no secret ever is in a variable.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  create:
    description: Volumes that are missing, each with C(name) and C(labels).
    type: list
    elements: dict
    default: []
  services:
    description: The services whose config volume is to be written.
    type: list
    elements: str
    required: true
  keep:
    description: Those of O(services) whose files of before are kept, in a separate volume, until C(stack_replaced).
    type: list
    elements: str
    default: []
  reload:
    description:
      - Those of O(services) whose running container takes its new files over by the command of its definition.
      - They come first, and one that does not take them keeps those of before; nothing else is written then.
    type: list
    elements: str
    default: []
  images:
    description: Service to image; any image with the service's user will do for the helper.
    type: dict
    required: true
  files:
    description:
      - JSON, service to path to mode and base64 content. Filled in by the action plugin.
      - One string, because Ansible would mask every value of a no_log mapping, modes included, in what is returned.
    type: str
attributes:
  check_mode: {support: full, description: Says which files would be written.}
  diff_mode: {support: partial, description: Paths only; the content is secret.}
  idempotent: {support: full, description: Nothing is written when all files are as they should be.}
"""
EXAMPLES = r"""
- name: Write configuration and secrets
  volume_files:
    stack: "{{ ready_stack }}"
    services: [postgresql]
    images: "{{ ready_images }}"
"""
RETURN = r"""
volumes:
  description: Volume to the paths that were added, changed and removed.
  returned: always
  type: dict
  sample: {ready_redis_config: {added: [redis.conf], changed: [], removed: []}}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.common.labels import LABEL_SERVICE, LABEL_STACK
from ansible.module_utils.ready.docker.reload import reload_files
from ansible.module_utils.ready.docker.replace import keep_files
from ansible.module_utils.ready.docker.state import EngineError, connect, write_volume
from ansible.module_utils.ready.secrets.file_transfer import unpack_files
from ansible.module_utils.ready.secrets.redaction import redacted, redacting
from ansible.module_utils.ready.stack.image_names import image_name
from ansible.module_utils.ready.stack.resolved import containers


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "create": {"type": "list", "elements": "dict", "default": []},
            "services": {"type": "list", "elements": "str", "required": True},
            "keep": {"type": "list", "elements": "str", "default": []},
            "reload": {"type": "list", "elements": "str", "default": []},
            "images": {"type": "dict", "required": True},
            "files": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    stack = module.params["stack"]
    volumes: dict[str, dict[str, list[str]]] = {}
    try:
        client = connect()
        for volume in [] if module.check_mode else module.params["create"]:
            client.volumes.create(volume["name"], labels=volume["labels"])
        files = unpack_files(module.params["files"])
        reloads = module.params["reload"]
        for name in sorted(module.params["services"], key=lambda item: item not in reloads):
            service = containers(stack)[name]
            image = module.params["images"][image_name(name, service)]["id"]
            if name in reloads and not module.check_mode:
                volumes[service["config_volume"]] = reload_files(client, stack["name"], service, image, files[name])
                continue
            if name in module.params["keep"] and not module.check_mode:
                keep_files(client, stack["name"], service)
            volumes[service["config_volume"]] = write_volume(
                client,
                image,
                service["config_volume"],
                service["image"]["user"],
                files[name],
                {LABEL_STACK: stack["name"], LABEL_SERVICE: name},
                dry_run=module.check_mode,
            )
    except EngineError as error:
        module.fail_json(msg=redacted(error), volumes=volumes)
    created = [f"create volume {volume['name']}" for volume in module.params["create"]]
    changed = bool(created) or any(any(paths.values()) for paths in volumes.values())
    lines = created + [
        f"{volume}: {kind} {path}"
        for volume, kinds in volumes.items()
        for kind, paths in kinds.items()
        for path in paths
    ]
    module.exit_json(changed=changed, volumes=volumes, diff={"prepared": "\n".join(lines) + "\n"} if lines else {})


if __name__ == "__main__":
    redacting(main)()
