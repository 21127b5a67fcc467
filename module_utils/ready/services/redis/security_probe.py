# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Security probe of Redis, by redis-py."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

import redis

from ...security.attempt import Attempt, RefusedError
from ...security.probe import SecurityProbe, wrong_password
from .probe import RedisProbe

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
    # What other accounts do, their connections, and the data under another number or on another server.
    ("SLOWLOG", "GET"),
    ("LATENCY", "RESET"),
    ("CLIENT", "LIST"),
    ("CLIENT", "KILL", "127.0.0.1:1"),
    ("CLIENT", "PAUSE", "1"),
    ("SWAPDB", "0", "1"),
    ("MIGRATE", "127.0.0.1", "1", "x", "0", "1"),
)
#: What shows keys, messages or what other clients send. COMMANDLOG is newer than the servers that do not know it.
READS_OTHERS = (
    ("SLOWLOG", "GET"),
    ("COMMANDLOG", "GET", "1", "slow"),
    ("MONITOR",),
    ("CLIENT", "LIST"),
    ("ACL", "LOG"),
    ("SCAN", "0"),
    ("RANDOMKEY",),
    ("EVAL", "return 1", "0"),
    ("PSYNC", "?", "-1"),
    ("PSUBSCRIBE", "*"),
)
_REFUSALS = ("NOAUTH", "WRONGPASS", "NOPERM", "Authentication required", "invalid username-password")


class RedisSecurityProbe(SecurityProbe):
    """What the app itself tries only reads."""

    def _connect(self, probe: Any, account: str) -> redis.Redis:
        return cast(RedisProbe, probe).connect(account)

    def refusal(self, error: Exception) -> bool:
        """Return whether the server refused; its words are its interface, and redis-py cuts the first one off."""
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
                    refusal = str(error)
            raise RefusedError(refusal)

        def may(commands: Sequence[Sequence[str]], *logins: str) -> str:
            allowed = []
            asked: dict[str, None] = {}
            with self._connect(self.probe, "admin") as client:
                for login in logins:
                    for words in commands:
                        try:
                            answer = client.execute_command("ACL", "DRYRUN", login, *words)
                        except redis.exceptions.ResponseError as error:
                            # This server has no such command; of a user that is not there nothing is known.
                            if not re.fullmatch("Command '.*' not found", str(error)):
                                raise
                            continue
                        asked[" ".join(words)] = None
                        if answer in {"OK", b"OK", True}:
                            allowed.append(f"{login} may {' '.join(words)}")
            if not allowed:
                raise RefusedError(f"no permission for {', '.join(asked)}")
            return ", ".join(allowed)

        def others() -> str:
            try:
                return command_as("monitor", "SLOWLOG", "GET", "1")
            except redis.exceptions.NoPermissionError:
                return may(READS_OTHERS, monitor, backup)

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
                "The app can't empty, stop or reconfigure the server, nor see or stop what other accounts do",
                f"{cli} --user ADMIN ACL DRYRUN {app} FLUSHALL"
                f" (and {', '.join(dict.fromkeys(words[0] for words in DANGEROUS[1:]))})",
                lambda: may(DANGEROUS, app),
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
            Attempt(
                "monitor_reads_others",
                "Neither the monitor nor the backup account can read names of keys, messages or what others send",
                f"{cli} --user {monitor} SLOWLOG GET 1; {cli} --user ADMIN ACL DRYRUN {monitor} SLOWLOG GET (and "
                f"{', '.join(' '.join(words) for words in READS_OTHERS[1:])}; and as {backup})",
                others,
            ),
        ]
