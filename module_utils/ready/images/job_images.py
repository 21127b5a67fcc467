# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""List the images that no service runs from; the verb that needs one obtains it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: Image -> its version, which is that of the package that it is there for, as its lock pins it.
TOOLS = {"kailash": "2.65.0"}


def tool_images(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return images as `image_names.stack_images` does; they have no upstream, keep no data, and have no user."""
    return {
        name: {
            "image": {"version": TOOLS[name], "data_format": {"build": "none"}},
            "users": [],
            "without": "",
        }
        for name in names
    }
