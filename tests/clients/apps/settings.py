"""What `./ready env` prints for the app account, with the addresses that hold inside the stack's network."""

import json
import ssl
import sys
from pathlib import Path

ENV = json.loads(Path("/settings/env.json").read_text(encoding="utf-8"))
#: In a stack that speaks TLS: its authority. ChromaDB's settings are the gateway's, where the stack has one.
CA = ENV.get("REDIS_CA_FILE")


def context(ca: str | None) -> ssl.SSLContext | None:
    """Return how a driver verifies the server, None without TLS."""
    return ssl.create_default_context(cafile=ca) if ca else None


def expect(found: object, expected: object, what: str) -> None:
    """End the program with one line when a store answered otherwise."""
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")
