#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build one of images/<name> from packages."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_build
short_description: Build a service's image from packages, where no registry can be reached
description:
  - Runs images/NAME/Containerfile with the classic builder of the host's Docker daemon. The base image is made first
    where it is missing, with debootstrap (which must be installed, as must the Debian archive keyring).
  - Distribution packages, PyPI and Maven are reached as the host reaches them (its mirrors, indexes, proxies and CA
    bundle). Those settings are in build stages alone; the stages are removed once the build has succeeded.
  - In playbooks the action plugin of the same name is called; it packs the recipe and shows the steps as they run.
  - Needs root, for debootstrap.
author: [Ready authors]
options:
  name:
    description: Which image, the directory's name below images/.
    type: str
    required: true
  tag:
    description:
      - The release line, first part of the image's tag; files in images/NAME-TAG stand in for those of images/NAME.
        The base's is its Debian release.
    type: str
    default: bookworm
  version_command:
    description: What prints the engine's version, run once in the new image. Without it the version is O(tag).
    type: list
    elements: str
  refresh:
    description: Build again, with today's packages, though the image is there.
    type: bool
    default: false
  recipe:
    description: The recipe's files, a tar in base64. Without it the action plugin takes those of images/NAME.
    type: str
  progress:
    description: A file on the host that gets a line per step. Filled in by the action plugin.
    type: path
attributes:
  check_mode: {support: full, description: Says whether the image would be built.}
  diff_mode: {support: none, description: An image has no useful difference.}
  idempotent: {support: full, description: An image of the same recipe is left alone, unless O(refresh=true).}
"""
EXAMPLES = r"""
- name: Build PostgreSQL's image
  image_build:
    name: postgresql
    tag: "15"
    version_command: [postgres, --version]
  register: __container_images_built
  become: true
"""
RETURN = r"""
image:
  description: The image; in check mode one that is still to be built has only C(ref) and C(recipe).
  returned: always
  type: dict
  sample:
    ref: ready/postgresql:15-f3fa0ececb07
    id: sha256:15d5e228df9581913ab7f4e62d1f040ae0a345ac4d93eb799435b8be5f4254a7
    recipe: f3fa0ececb075da0f0641af49d7c9aea40f366d4fd79a6cd8d45f298a4f9d8da
    engine_version: "15.20"
    size: 357590053
lines:
  description: What it printed while it built.
  returned: when it built
  type: list
  elements: str
cause:
  description: Why the build failed, such as C(package index not reachable), C(hash mismatch) or C(disk full).
  returned: on failure
  type: str
"""

import socket
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.ready.docker.state import EngineError, connect
from ansible.module_utils.ready.images.build import BUILD_TIMEOUT, Builder, DockerException, RequestException
from ansible.module_utils.ready.images.build_failures import BuildError
from ansible.module_utils.ready.images.recipe import image_reference, recipe_hash, unpack_recipe
from ansible.module_utils.ready.secrets.redaction import redacting


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "tag": {"type": "str", "default": "bookworm"},
            "version_command": {"type": "list", "elements": "str"},
            "refresh": {"type": "bool", "default": False},
            "recipe": {"type": "str"},
            "progress": {"type": "path"},
        },
        supports_check_mode=True,
    )
    want = module.params

    def notify(line: str) -> None:
        if want["progress"]:
            with Path(want["progress"]).open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")

    try:
        files = unpack_recipe(want["recipe"])
        recipe = recipe_hash(files, want["name"])
        ref = image_reference(want["name"], want["tag"], recipe)
        builder = Builder(connect(BUILD_TIMEOUT), files, socket.gethostname(), notify)
        image = None if want["refresh"] else builder.find(ref, recipe)
        if image:
            module.exit_json(changed=False, image=image)
        if module.check_mode:
            module.exit_json(changed=True, image={"ref": ref, "recipe": recipe})
        image = builder.build(want["name"], want["tag"], want["version_command"], want["refresh"])
        module.exit_json(changed=True, image=image)
    except BuildError as error:
        module.fail_json(msg=str(error), cause=error.kind)
    except (EngineError, DockerException, RequestException) as error:
        module.fail_json(msg=f"{socket.gethostname()}: {error}", cause="docker daemon gone")


if __name__ == "__main__":
    redacting(main)()
