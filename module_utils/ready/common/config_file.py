# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file of a service's config volume, as it is rendered, compared and sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """One file of a config volume: path below /run/ready, mode bits, bytes."""

    path: str
    content: bytes
    mode: int = 0o400
