# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options of every module that asks a registry, documented once."""

from __future__ import annotations


class ModuleDocFragment:
    """How to log in, and how long to wait; `registry.mirror` is which one to ask."""

    DOCUMENTATION = r"""
options:
  username:
    description: Login at the registry.
    type: str
    default: ""
  password:
    description: Password at the registry.
    type: str
    default: ""
  timeout:
    description: Seconds that one question to the registry may take.
    type: int
    default: 20
"""
    MIRROR = r"""
options:
  mirror:
    description: Registry to ask instead of the repository's own.
    type: str
    default: ""
"""
