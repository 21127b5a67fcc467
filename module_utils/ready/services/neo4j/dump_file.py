# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The file that `neo4j-admin database dump` writes, without its compression, and with it again.

It is a mark of four bytes and one compressed stream, which differs from its first bytes on whenever anything in the
store does: nothing of it is ever found again by a repository that stores every block once. So sets hold the stream as
it is inside. The marks are those of Neo4j's `StandardCompressionFormat`: DZV1 for zstd, and DGV1 for gzip, which
neo4j-admin writes where it has no zstd for a processor.
"""

from __future__ import annotations

import gzip
import shutil
from typing import IO

import zstandard

from ...backups.manifest import BackupError

ZSTD, GZIP = b"DZV1", b"DGV1"
_BLOCK = 2**20
#: Of zeros, such as those of a log that is allocated in advance, this much becomes 128 MiB.
_COMPRESSED = 2**12
#: The fastest: what is packed is loaded at once, on the same host.
_LEVEL = 1


def unpack(source: IO[bytes], target: IO[bytes]) -> None:
    """Write what is inside a dump. Raises BackupError when it is none, or not whole."""
    mark = source.read(len(ZSTD))
    try:
        if mark == ZSTD:
            stream = zstandard.ZstdDecompressor().decompressobj()  # its `copy_stream` takes a cut one for whole
            while block := source.read(_COMPRESSED):
                target.write(stream.decompress(block))
            if not stream.eof:
                raise EOFError("it ends too early")
        elif mark == GZIP:
            with gzip.open(source) as inside:
                shutil.copyfileobj(inside, target, _BLOCK)
        else:
            raise BackupError(f"neo4j: a dump begins with {mark!r}, expected {ZSTD!r} or {GZIP!r}")
    except (zstandard.ZstdError, EOFError, gzip.BadGzipFile) as error:
        raise BackupError(f"neo4j: a dump can't be unpacked: {error}") from error


def pack(source: IO[bytes], target: IO[bytes]) -> None:
    """Write the dump that has this inside."""
    target.write(ZSTD)
    zstandard.ZstdCompressor(level=_LEVEL).copy_stream(source, target, read_size=_BLOCK, write_size=_BLOCK)
