# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sessions that all channels share: kept in Redis, so that they survive a restart and belong to every worker.

A session is a hash with a field for each value. Redis merges fields by itself: two channels that write different keys
at the same moment lose nothing. A document that is read, changed and written back would lose one of them.
"""

import json
import re
from typing import Any

SECONDS = 3600
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
LONGEST = 16384


class UnknownSessionError(LookupError):
    """There is no such session, or it has expired."""


def named(what: str, name: str) -> str:
    """Return a name that may be part of a key in Redis; ValueError otherwise."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"found a {what} that is no name; expected 1 to 64 of A-Z, a-z, 0-9, '_', '.', '-'")
    return name


class Sessions:
    """The sessions of one application, by a client for Redis that decodes answers."""

    def __init__(self, client: Any, prefix: str, seconds: int = SECONDS) -> None:
        self.client = client
        self.prefix = prefix
        self.seconds = seconds

    def key(self, session: str) -> str:
        """Return the key of a session."""
        return f"{self.prefix}:session:{named('session id', session)}"

    def put(self, session: str, name: str, value: str, channel: str, seconds: int | None = None) -> None:
        """Write one value, whichever channel it came through; the session lives on from now."""
        key, lives = self.key(session), self.seconds if seconds is None else seconds
        if not 1 <= lives <= self.seconds:
            raise ValueError(f"found {lives} seconds; expected 1 to {self.seconds}")
        if len(value) > LONGEST:
            raise ValueError(f"found a value of {len(value)} characters; expected at most {LONGEST}")
        field = json.dumps({"value": value, "channel": named("channel", channel)}, sort_keys=True)
        with self.client.pipeline(transaction=True) as together:
            together.hset(key, named("key", name), field)
            together.expire(key, lives)
            together.execute()

    def get(self, session: str) -> dict[str, dict[str, str]]:
        """Return every value of a session with the channel that wrote it."""
        fields = self.client.hgetall(self.key(session))
        if not fields:
            raise UnknownSessionError(f"found no session {session}; it was never written, or has expired")
        return {name: json.loads(field) for name, field in sorted(fields.items())}
