# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read a tar archive as Docker sends it. Standard library only."""

from __future__ import annotations

import io
from collections.abc import Iterator


class Stream(io.RawIOBase):
    """What tarfile reads from: a file made of the chunks that Docker sends."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.rest = chunks, b""

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, fewer at the end."""
        while len(self.rest) < size and (chunk := next(self.chunks, b"")):
            self.rest += chunk
        out, self.rest = self.rest[:size], self.rest[size:]
        return out
