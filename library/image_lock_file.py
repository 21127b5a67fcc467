#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_lock_file
short_description: Write digests of images into the inventory's lock
description:
  - Adds entries to the lock that the inventory keeps on the controller; what did not change keeps its date. Fails where
    another host of the run was served another digest of the same image.
  - Hosts that share a lock take turns, by C(throttle=1).
author: [Ready authors]
options:
  path:
    description: The lock, on the controller. Directories above it are made.
    type: path
    required: true
  entries:
    description: Image to V(repository), V(tag) and V(digest).
    type: dict
    required: true
  renew:
    description: Whether entries may change.
    type: bool
    default: false
  gone:
    description: Images whose entries go.
    type: list
    elements: str
    default: []
attributes:
  check_mode: {support: full, description: In check mode nothing is written.}
  diff_mode: {support: full, description: The diff is that of the file.}
  idempotent: {support: full, description: Entries that are there leave the file as it is.}
"""
EXAMPLES = r"""
- name: Write the lock
  image_lock_file:
    path: "{{ inventory_dir }}/group_vars/all/ready_images_lock.yml"
    entries: "{{ __image_lock.new_locks }}"
    renew: true
  throttle: 1
"""
RETURN = r"""
"""
