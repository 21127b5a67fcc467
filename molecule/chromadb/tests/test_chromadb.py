"""ChromaDB through its HTTP client."""

from __future__ import annotations

import socket

import requests
from ready.docker import execute

from tests.hardening import assert_hardened
from tests.stack import molecule_stack

STACK = molecule_stack(["chromadb"])


def test_data() -> None:
    """Vectors are stored, and their nearest neighbours come back in order."""
    STACK.write("chromadb")
    STACK.check("chromadb")


def test_data_are_in_the_volume() -> None:
    """1.x persists to /data: a wrong mount would leave the volume, and every backup of it, empty."""
    listing = execute.run(STACK.container("chromadb"), ["ls", "/data"])
    assert listing.exit_code == 0
    assert b"chroma.sqlite3" in listing.output
    mounts = {mount["Destination"]: mount["Name"] for mount in STACK.container("chromadb").attrs["Mounts"]}
    assert mounts["/data"] == f"{STACK.name}_chromadb_data"


def test_reset_is_refused() -> None:
    """Nobody deletes everything by one call."""
    answer = requests.post(f"{STACK.settings('chromadb')['CHROMA_URL']}/api/v2/reset", timeout=10)
    assert answer.status_code == 403


def test_loopback_alone() -> None:
    """It has no authentication of its own, so no other address of this machine answers."""
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.connect(("192.0.2.1", 9))  # sends nothing: the kernel says which address it would use
    address = probe.getsockname()[0]
    assert address != "127.0.0.1"
    with socket.socket() as client:
        client.settimeout(3)
        assert client.connect_ex((address, STACK.variables["chromadb_port"])) != 0


def test_hardened() -> None:
    """Non-root, no capabilities, read-only, limited."""
    assert_hardened(STACK, "chromadb")
