# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Text out of files and their names, as it may be shown: what it holds moves no cursor and begins no line."""

from __future__ import annotations

import re

#: Control characters, line ends, marks that turn the direction of text, and bytes of names that are no UTF-8.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def _escaped(match: re.Match[str]) -> str:
    number = ord(match[0])
    if 0xDC80 <= number <= 0xDCFF:  # a byte that surrogateescape stands for
        return f"\\x{number - 0xDC00:02x}"
    named = {9: "\\t", 10: "\\n", 13: "\\r"}.get(number)
    return named or (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}")


def printable(text: str) -> str:
    """Return a text in one line, with what a terminal or a reader of logs would act upon written out."""
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub(_escaped, text)
