#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Look at the files of a site's own models, copy them into their volume, clear it of what no model names."""

from __future__ import annotations

DOCUMENTATION = r"""
module: model_files
short_description: Look at the files of a site's own models, and have copies of them in their volume
description:
  - A model is a file on the host, or one that the host fetches by http or https, its proxies and certificates honoured.
    It is read as a stream, and has its name in the volume only after it was read back and has the SHA-256 that the
    inventory names.
  - Own, not get_url and docker_volume, which would need the file twice on the disk, and a bind mount.
  - In playbooks the action plugin of the same name is called; it hands over the URLs, which may have passwords in them.
author: [Ready authors]
options:
  stack:
    description: The resolved stack, as the fact C(ready_stack) holds it.
    type: dict
    required: true
  host:
    description: The host's name in the inventory, for messages.
    type: str
    required: true
  services:
    description: The services whose models are meant.
    type: list
    elements: str
    required: true
  action:
    description:
      - V(look) reads files, of what a server has only the beginning, and changes nothing; no Docker is needed.
      - V(copy) has every model in its volume, and says what is wrong with a file in RV(msg).
      - V(clear) removes from volumes what no model names.
    type: str
    choices: [look, copy, clear]
    required: true
  create:
    description: Volumes that are missing, each with C(name) and C(labels); those of O(services) are made.
    type: list
    elements: dict
    default: []
  images:
    description: Service to image, for the helper; of no use to V(look).
    type: dict
    default: {}
  urls:
    description: JSON, SHA-256 to URL. Filled in by the action plugin.
    type: str
attributes:
  check_mode: {support: full, description: Looks at files; V(copy) and V(clear) do nothing.}
  diff_mode: {support: none, description: RV(lines) say what was done.}
  idempotent: {support: full, description: Nothing is copied that is there and whole.}
"""
EXAMPLES = r"""
- name: Check the model files to copy
  model_files:
    stack: "{{ ready_stack }}"
    host: "{{ inventory_hostname }}"
    services: [ai]
    action: look
"""
RETURN = r"""
looked:
  description: SHA-256 to V(model), V(bytes) and V(fault), which is empty for a file that is as it should be.
  returned: always
  type: dict
  sample: {}
lines:
  description: What was copied or removed, a line each.
  returned: always
  type: list
  elements: str
  sample: [copied the model Own@0a1b2c3d4e5f into volume ready_ai_models]
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.model_files import Copies
from ansible.module_utils.ready.docker.model_source import ModelError, look
from ansible.module_utils.ready.docker.state import EngineError, connect, reason, sdk_errors
from ansible.module_utils.ready.secrets.redaction import redacted, redacting, register_secrets
from ansible.module_utils.ready.stack.models import own_models, short_model
from ansible.module_utils.ready.stack.resolved import copy_volumes

#: Seconds that one call to the daemon may take: a file of gigabytes is one.
PATIENCE = 3600


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stack": {"type": "dict", "required": True},
            "host": {"type": "str", "required": True},
            "services": {"type": "list", "elements": "str", "required": True},
            "action": {"type": "str", "choices": ["look", "copy", "clear"], "required": True},
            "create": {"type": "list", "elements": "dict", "default": []},
            "images": {"type": "dict", "default": {}},
            "urls": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    services = {name: params["stack"]["services"][name] for name in params["services"]}
    urls = json.loads(params["urls"] or "{}")
    register_secrets(urls.values())
    if params["action"] == "look":
        looked = {
            sha256: {"model": short_model(its), **look(its, urls)}
            for service in services.values()
            for sha256, its in own_models(service).items()
        }
        for its in looked.values():
            its["fault"] = redacted(its["fault"])
        module.exit_json(changed=False, looked=looked, lines=[])
    if module.check_mode:
        module.exit_json(changed=False, looked={}, lines=[])
    lines: list[str] = []
    try:
        client = connect(timeout=PATIENCE)
        for name, service in services.items():
            wanted = {volume["name"] for volume in copy_volumes(service)}
            for volume in params["create"]:
                if volume["name"] in wanted:
                    client.volumes.create(volume["name"], labels=volume["labels"])
            copies = Copies(client, params["stack"]["name"], service, params["images"][name]["id"])
            lines += copies.put(urls) if params["action"] == "copy" else copies.clear()
    except (EngineError, ModelError, *sdk_errors()) as error:
        what = "copied" if params["action"] == "copy" else "cleared"
        module.fail_json(
            msg=f"{params['host']}: models could not be {what}: {redacted(reason(error))}. The running containers were "
            "left as they are. Next: correct that, then ./ready up",
            lines=lines,
        )
    module.exit_json(changed=bool(lines), looked={}, lines=lines)


if __name__ == "__main__":
    redacting(main)()
