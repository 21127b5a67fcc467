# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Attacks on Redis, by redis-py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..services.redis import Redis
from .attempt import Attempt, RefusedError
from .base import Attacker, wrong_password

#: What would hurt if it succeeded: the server is asked whether it would let the account do it (ACL DRYRUN, 7.0).
DANGEROUS = (
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("CONFIG", "SET", "maxmemory", "1"),
    ("DEBUG", "SLEEP", "0"),
    ("SHUTDOWN", "NOSAVE"),
    ("KEYS", "*"),
    ("REPLICAOF", "NO", "ONE"),
    ("MODULE", "LOAD", "/tmp/x.so"),  # noqa: S108  # nothing is loaded
    ("ACL", "SETUSER", "x"),
    ("SAVE",),
    ("MONITOR",),
)
_REFUSALS = ("NOAUTH", "WRONGPASS", "NOPERM", "Authentication required", "invalid username-password")


class RedisAttacker(Attacker):
    """What the app itself tries only reads."""

    def _connect(self, probe: Any, account: str) -> redis.Redis:
        client = cast(Redis, probe).connect(account)
        client.set_retry(Retry(NoBackoff(), 0))  # redis-py tries a refused login again, for seconds
        return client

    def refusal(self, error: Exception) -> bool:
        """Return whether the server said no; its words are its interface, and redis-py cuts the first one off."""
        if isinstance(error, (redis.exceptions.AuthenticationError, redis.exceptions.NoPermissionError)):
            return True
        return isinstance(error, redis.exceptions.ResponseError) and str(error).startswith(_REFUSALS)

    def alive(self) -> None:
        """Log in."""
        with self._connect(self.probe, "app") as client:
            client.ping()

    def attempts(self) -> Sequence[Attempt]:
        """Return what is tried."""
        app, monitor, backup = (self.login(account) for account in ("app", "monitor", "backup"))
        cli = "redis-cli -h HOST -p PORT"

        def ping(login: str, password: str) -> str:
            with self._connect(self.impostor(login, password), "impostor") as client:
                client.ping()
            return f"PONG for {login or 'a connection that has not logged in'}"

        def command_as(account: str, *words: str) -> str:
            with self._connect(self.probe, account) as client:
                client.execute_command(*words)
            return f"{self.login(account)} was answered"

        def either(*accounts: str) -> str:
            for account in accounts:
                try:
                    return command_as(account, "GET", "ready-attack")
                except redis.exceptions.NoPermissionError as error:
                    told = str(error)
            raise RefusedError(told)

        def dangerous() -> str:
            with self._connect(self.probe, "admin") as client:
                allowed = [
                    " ".join(words)
                    for words in DANGEROUS
                    if client.execute_command("ACL", "DRYRUN", app, *words) in {"OK", b"OK", True}
                ]
            if not allowed:
                raise RefusedError("no permission for " + ", ".join(" ".join(words) for words in DANGEROUS))
            return f"{app} may {', '.join(allowed)}"

        return [
            Attempt("no_password", "Nobody gets in without a password", f"{cli} PING", lambda: ping("", "")),
            Attempt(
                "default_user",
                "The user that every Redis has is off",
                f"{cli} --user default --pass x PING",
                lambda: ping("default", wrong_password()),
            ),
            Attempt(
                "wrong_password",
                "A wrong password is refused",
                f"{cli} --user {app} --pass wrong PING",
                lambda: ping(app, wrong_password()),
            ),
            Attempt(
                "dangerous_commands",
                "The app can't empty, stop or reconfigure the server",
                f"{cli} --user ADMIN ACL DRYRUN {app} FLUSHALL (and {', '.join(words[0] for words in DANGEROUS[1:])})",
                dangerous,
            ),
            Attempt(
                "read_configuration",
                "The app can't read the configuration",
                f"{cli} --user {app} CONFIG GET maxmemory",
                lambda: command_as("app", "CONFIG", "GET", "maxmemory"),
            ),
            Attempt(
                "list_accounts",
                "The app can't read accounts",
                f"{cli} --user {app} ACL LIST",
                lambda: command_as("app", "ACL", "LIST"),
            ),
            Attempt(
                "monitor_reads_keys",
                "Neither the monitor nor the backup account can read keys",
                f"{cli} --user {monitor} GET x; {cli} --user {backup} GET x",
                lambda: either("monitor", "backup"),
            ),
        ]
