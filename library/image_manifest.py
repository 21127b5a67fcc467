#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_manifest
short_description: Write the manifest of archives of images
description:
  - Writes C(manifest.json), by which role C(container_images) loads archives, beside these on the controller, with the
    checksum of each.
author: [Ready authors]
options:
  directory:
    description: The directory of the archives, NAME.tar each.
    type: path
    required: true
  images:
    description: What is in them, as C(images_to_save) returned it.
    type: dict
    required: true
attributes:
  check_mode: {support: full, description: In check mode nothing is written.}
  diff_mode: {support: full, description: The diff is that of the manifest.}
  idempotent: {support: full, description: The same archives have the same manifest.}
"""
EXAMPLES = r"""
- name: Write the manifest
  image_manifest:
    directory: /srv/archives
    images: "{{ __container_images_to_save.images }}"
"""
RETURN = r"""
"""
