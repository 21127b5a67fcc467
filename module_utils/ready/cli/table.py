# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Render tables as text, as wide as the terminal and in colour where it has some. Runs on the controller."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible import constants
from ansible.utils import color
from ansible.utils.display import Display
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..common.verdict import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, WAIVED

#: Words that are coloured wherever they are the whole of a cell.
STYLES = {
    word: style
    for style, words in {
        "green": (PASS, "healthy", "none"),
        "bold red": (FAIL, "unhealthy", "exited", "dead", "absent"),
        "yellow": (UNKNOWN, "starting", "restarting", "paused", "created", "running"),
        "cyan": (NOT_APPLICABLE, WAIVED),
    }.items()
    for word in words
}


LOG_WIDTH = 160
#: A command stays on one line where the column has room for it: what is pasted, or completed, is never its half.
_COMMAND = re.compile(r"\./ready(?: [a-z]+){1,2}")
_GLUE = "\ue000"


def width(columns: int, terminal: bool) -> int:
    """Return how wide to print: as COLUMNS says, as the terminal is, or as fits a log.

    Args:
        columns: what Ansible's display found. A worker has no terminal any more: what its parent saw is all there is.
        terminal: whether there seems to be one.
    """
    if os.environ.get("COLUMNS", "").isdigit():
        return int(os.environ["COLUMNS"])
    if columns > 79:  # Ansible's own floor is 79: a narrow terminal, or none
        return int(columns) + 1
    return 80 if terminal else LOG_WIDTH


def _cell(value: Any) -> Text:
    text = "-" if value is None else _COMMAND.sub(lambda found: found[0].replace(" ", _GLUE), str(value))
    return Text(text, style=STYLES.get(text, ""))  # Text, not str: what services say is no markup


def render(
    title: str = "",
    columns: Sequence[Mapping[str, Any]] = (),
    rows: Sequence[Mapping[str, Any]] = (),
    lines: Sequence[Any] = (),
    width: int = 100,
    colour: bool = False,
) -> str:
    """Return a title, a table and lines below it as text, with ANSI colours or without.

    Args:
        title: a line above, "" for none.
        columns: `key` in a row, `title`, and `style` as rich names them; none means no table.
        rows: values by key; a missing one shows as "-".
        lines: text below the table.
        width: columns of the terminal; cells wrap.
        colour: whether to colour.
    """
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )
    if title:
        console.print(Text(title, style="bold"))
    if columns:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
        for column in columns:
            table.add_column(str(column["title"]), style=column.get("style") or "", overflow="fold")
        for row in rows:
            table.add_row(*(_cell(row.get(column["key"])) for column in columns))
        console.print(table)
    for line in lines:
        console.print(_cell(line), soft_wrap=True)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.replace(_GLUE, " ").splitlines())


def render_for(display: Display, **table: Any) -> str:
    """Return what `render` makes of a table for this display.

    Ansible decides about colour as everybody expects: terminal, NO_COLOR, ANSIBLE_NOCOLOR, ANSIBLE_FORCE_COLOR. Colour
    unasked means that there seems to be a terminal.

    Args:
        display: Ansible's; its columns are read.
        table: `title`, `columns`, `rows` and `lines`, as `render` takes them.
    """
    terminal = bool(color.ANSIBLE_COLOR and not constants.ANSIBLE_FORCE_COLOR)
    return render(**table, width=width(display.columns, terminal), colour=bool(color.ANSIBLE_COLOR))
