# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tables as Ansible's own output is: as wide as the terminal, and in colour where it has some. Controller alone."""

from __future__ import annotations

from typing import Any

from ansible import constants
from ansible.utils import color
from ansible.utils.display import Display

from .table import render, width


def shown(display: Display, **table: Any) -> str:
    """Return what `table.render` makes of a table for this display.

    Ansible decides about colour as everybody expects: terminal, NO_COLOR, ANSIBLE_NOCOLOR, ANSIBLE_FORCE_COLOR. Colour
    without being told to means that there seems to be a terminal.

    Args:
        display: Ansible's; its columns are read.
        table: `title`, `columns`, `rows` and `lines`, as `table.render` takes them.
    """
    terminal = bool(color.ANSIBLE_COLOR and not constants.ANSIBLE_FORCE_COLOR)
    return render(**table, width=width(display.columns, terminal), colour=bool(color.ANSIBLE_COLOR))
