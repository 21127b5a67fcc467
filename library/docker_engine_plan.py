#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_engine_plan
short_description: Decide what makes Docker answer on a host
description:
  - Compares what was read of a host with what the inventory wants of its Docker. Fails where that needs manual work,
    where C(daemon.json) cannot be read, and for a proxy that cannot be used.
author: [Ready authors]
options:
  facts:
    description: What C(host_facts) read.
    type: dict
    required: true
  packages:
    description: The packages that make an engine.
    type: list
    elements: str
    required: true
  daemon_options:
    description: Keys for C(daemon.json). A key that the file has already keeps its value.
    type: dict
    default: {}
  log_max_size:
    description: Size at which the log of a container is rotated.
    type: str
    required: true
  log_max_file:
    description: How many of these log files are kept.
    type: int
    required: true
  proxy:
    description: What the daemon pulls through, a URL; V(auto) for what Windows uses, empty for none.
    type: str
    default: ""
  no_proxy:
    description: What is reached without O(proxy).
    type: str
    default: ""
  backend:
    description: What runs the containers under WSL, V(desktop) or V(engine); empty for what there is.
    type: str
    default: ""
attributes:
  check_mode: {support: full, description: It only reads.}
  diff_mode: {support: N/A, description: It changes nothing.}
  idempotent: {support: full, description: It changes nothing.}
"""
EXAMPLES = r"""
- name: Plan the changes
  docker_engine_plan:
    facts: "{{ __docker_engine_host.facts }}"
    packages: [docker.io]
    log_max_size: 10m
    log_max_file: 3
  register: __docker_engine_plan
"""
RETURN = r"""
action:
  description: V(use) for a daemon that answers, V(start) or V(install).
  returned: always
  type: str
message:
  description: What was found.
  returned: always
  type: str
packages:
  description: The packages to install.
  returned: always
  type: list
  elements: str
method:
  description: How the daemon is started, V(systemd), V(service) or V(dockerd).
  returned: always
  type: str
managed:
  description: Whether the daemon is one that Ready installed, or installs now.
  returned: always
  type: bool
daemon_json:
  description: Whether to V(write) C(/etc/docker/daemon.json), and its V(content).
  returned: always
  type: dict
proxy:
  description: What is to be done so that the daemon has its proxy; no URL is in it.
  returned: always
  type: dict
proxy_unit:
  description: The drop-in of the daemon's unit.
  returned: always
  type: str
proxy_line:
  description: The line for C(/etc/default/docker).
  returned: always
  type: str
start:
  description: V(start), V(restart) or V(none).
  returned: always
  type: str
survives:
  description: What a reboot does to the daemon, in plain words.
  returned: always
  type: str
"""
