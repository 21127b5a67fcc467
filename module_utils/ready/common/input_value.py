# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A value of the inventory or a file, as a message may show it: one in the wrong place may be a password."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_NAMES = ((int, "a number"), (float, "a number"), (str, "text"), (list, "a list"), (Mapping, "a mapping"))


def kind_of(value: Any) -> str:
    """Return what a value is, in words; never the value."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    for types, name in _NAMES:
        if isinstance(value, types):  # Ansible's own are subclasses
            return name
    return "a date" if hasattr(value, "isoformat") else "something else"


def safe_key(value: Any) -> str:
    """Return a key: where a password was typed as one, it has more than a name has."""
    text = str(value)
    return text if re.fullmatch(r"@?[A-Za-z][A-Za-z0-9_.-]{0,29}", text) else "(a key that is no name)"


def safe_value(value: Any) -> str:
    """Return a plain value; of a mapping its keys, of anything else its kind."""
    if isinstance(value, Mapping):
        return f"a mapping of {', '.join(map(safe_key, value))}" if value else "an empty mapping"
    if value == []:
        return "an empty list"
    if value is not None and not isinstance(value, (bool, int, float, str)):
        return kind_of(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}…"
