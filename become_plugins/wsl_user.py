# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Become another Linux user of a WSL distro by wsl.exe's own -u: no sudo, no password."""

from __future__ import annotations

from typing import Any

from ansible.plugins.become import BecomeBase

DOCUMENTATION = r"""
name: wsl_user
author: Ready
version_added: "0.1.0"
short_description: Become another Linux user of a WSL distro through wsl.exe
description:
  - Only with the connection plugin P(wsl_psrp#connection), which starts the command as that user itself. Neither sudo
    nor a password is needed, as WSL asks for none.
options:
  become_user:
    description: The Linux user.
    type: str
    default: root
    keyword: [{name: become_user}]
    vars: [{name: ansible_become_user}]
    env: [{name: ANSIBLE_BECOME_USER}]
    ini: [{section: privilege_escalation, key: become_user}]
"""


class BecomeModule(BecomeBase):
    """Leaves the command as it is."""

    name = "wsl_user"

    def build_become_command(self, cmd: str, shell: Any) -> str:
        """Return the command: the connection plugin reads the user."""
        super().build_become_command(cmd, shell)
        return cmd
