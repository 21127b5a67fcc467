#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Choose where images come from."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_sources
short_description: Choose where each service's image comes from
description:
  - Asks the registry for digests (no image is pulled), looks at what Docker has already, and says per service which
    source serves, which do not and why. Nothing is changed.
  - Of what is to be built it says whether an image of that recipe is there, so that no further call has to look.
author: [Ready authors]
extends_documentation_fragment: [registry, registry.mirror]
options:
  images:
    description: Service to its C(image) as in the fact C(ready_stack).
    type: dict
    required: true
  wanted:
    description: Service to V(auto), V(registry), V(archive) or V(build).
    type: dict
    required: true
  lock:
    description: Service to repository, tag and digest.
    type: dict
    default: {}
  archives:
    description: Service to its entry in the archives' manifest.
    type: dict
    default: {}
  archive_reason:
    description: Why there is no archive.
    type: str
    default: none is listed
  recipes:
    description:
      - Image, and V(base), to C(ref) and C(recipe) of what a build makes, and C(rebuild). A site's mirror is asked for
        it, too. C(suite) and C(pip) say which packages a build needs.
    type: dict
    default: {}
  foresee:
    description:
      - Ask before anything is changed. Docker need not be there, then nothing is known of registries; of what is to be
        built, the package indexes must answer.
    type: bool
    default: false
  held:
    description: Service to the data format that its volume holds; an image of another one is refused.
    type: dict
    default: {}
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Choose the image sources
  image_sources:
    images: {redis: {repository: docker.io/library/redis, tag: 7-alpine, override: null}}
    wanted: {redis: auto}
"""
RETURN = r"""
choices:
  description:
    - Image to V(source), V(ref), V(digest), V(data_format), V(lock), V(faults) and V(reasons); V(unserved) when no
      registry has it for certain, V(unasked) when one that may have it was not asked.
  returned: always
  type: dict
looked:
  description: For the base and each service whose source is V(build), V(item) and V(image), as image_build returns it.
  returned: always
  type: list
  elements: dict
faults:
  description: Everything that must stop the run.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.state import EngineError, connect
from ansible.module_utils.ready.images.registries import credentials
from ansible.module_utils.ready.images.sources import choose_all, look, without_builds
from ansible.module_utils.ready.secrets.redaction import redacted, redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "images": {"type": "dict", "required": True},
            "wanted": {"type": "dict", "required": True},
            "mirror": {"type": "str", "default": ""},
            "lock": {"type": "dict", "default": {}},
            "archives": {"type": "dict", "default": {}},
            "archive_reason": {"type": "str", "default": "none is listed"},
            "recipes": {"type": "dict", "default": {}},
            "foresee": {"type": "bool", "default": False},
            "held": {"type": "dict", "default": {}},
            "username": {"type": "str", "default": ""},
            "password": {"type": "str", "default": "", "no_log": True},
            "timeout": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    want = module.params
    auth = credentials(want)
    try:
        client = connect(want["timeout"])
    except EngineError as error:
        if not want["foresee"]:
            module.fail_json(msg=redacted(error))
        client = None
    try:
        choices = choose_all(
            client,
            want["images"],
            want["wanted"],
            want["mirror"],
            want["lock"],
            want["archives"],
            want["archive_reason"],
            auth,
            want["held"],
            want["recipes"],
        )
        looked = look(client, choices, want["recipes"])
        if want["foresee"]:
            from ansible.module_utils.ready.images.build import this_host  # few runs need them
            from ansible.module_utils.ready.images.indexes import images_without_indexes

            why = images_without_indexes(choices, looked, want["recipes"], this_host(), want["timeout"])
            choices = without_builds(choices, why)
    except EngineError as error:
        module.fail_json(msg=redacted(error))
    faults = [fault for choice in choices.values() for fault in choice["faults"]]
    module.exit_json(changed=False, choices=choices, looked=looked, faults=faults)


if __name__ == "__main__":
    redacting(main)()
