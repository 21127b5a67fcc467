# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Evidence, and the reports that are made of it alone. `write`, `read` and `read_all` are document.py's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .document import read as read
    from .document import read_all as read_all
    from .document import write as write
else:

    def __getattr__(name: str) -> Any:
        """Return a documented function of document.py, which is loaded when one is asked for."""
        if name in {"read", "read_all", "write"}:
            from . import document

            return getattr(document, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
