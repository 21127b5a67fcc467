"""Neo4j's dumps without their compression: what is inside stays, and a later dump of the same data adds little."""

from __future__ import annotations

import gzip
import io

import pytest
import zstandard
from ready.backups.manifest import BackupError
from ready.services.neo4j.dump_file import GZIP, ZSTD, pack, unpack

CONTENT = b"metadata and a tar" * 200_000


def unpacked(dump: bytes) -> bytes:
    """Return what is inside."""
    target = io.BytesIO()
    unpack(io.BytesIO(dump), target)
    return target.getvalue()


@pytest.mark.parametrize(
    "dump", [ZSTD + zstandard.compress(CONTENT, 3), GZIP + gzip.compress(CONTENT)], ids=["zstd", "gzip"]
)
def test_there_and_back(dump: bytes) -> None:
    """What was inside neo4j-admin's dump is inside the one that it loads."""
    assert unpacked(dump) == CONTENT
    again = io.BytesIO()
    pack(io.BytesIO(unpacked(dump)), again)
    assert again.getvalue().startswith(ZSTD)
    assert unpacked(again.getvalue()) == CONTENT


@pytest.mark.parametrize(
    ("dump", "words"),
    [
        (b"", "begins with b''"),
        (b"PK\3\4 something else", "begins with b'PK"),
        (ZSTD + b"no zstd", "can't be unpacked"),
        (GZIP + gzip.compress(CONTENT)[:-100], "can't be unpacked"),
        (ZSTD + zstandard.compress(CONTENT, 3)[:-100], "can't be unpacked"),
    ],
    ids=["empty", "unknown", "broken", "gzip-cut", "zstd-cut"],
)
def test_no_dump(dump: bytes, words: str) -> None:
    """A file that is none, or is cut, is refused."""
    with pytest.raises(BackupError, match=words):
        unpacked(dump)
