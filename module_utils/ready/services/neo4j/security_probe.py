# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Security probe of Neo4j, by its own driver over Bolt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import neo4j

from ...security.attempt import Attempt, RefusedError
from ...security.probe import FOREIGN_HOST, SecurityProbe, wrong_password
from .probe import Neo4jProbe

#: Procedures and functions that reach files, other servers or the system, each with harmless arguments.
REACHING_OUT = (
    "CALL apoc.load.json('file:///dev/null') YIELD value RETURN 1",
    "CALL apoc.load.xml('file:///dev/null') YIELD value RETURN 1",
    "CALL apoc.import.csv([], [], {}) YIELD nodes RETURN 1",
    "CALL apoc.export.json.query('RETURN 1', null, {stream: true}) YIELD data RETURN 1",
    "CALL apoc.cypher.runFile('file:///dev/null') YIELD row RETURN 1",
    "CALL apoc.log.info('') RETURN 1",
    "RETURN apoc.systemdb.graph()",
)
#: Nothing listens there; what matters is whether the server tries.
_LOAD_CSV = "LOAD CSV FROM 'http://127.0.0.1:1/' AS line RETURN count(line)"
_REFUSALS = ("Neo.ClientError.Security.", "Neo.ClientError.Procedure.ProcedureNotFound")


class Neo4jSecurityProbe(SecurityProbe):
    """What succeeds reads nothing, or an empty file."""

    def _ask(self, probe: Any, account: str, text: str, database: str = "neo4j") -> list[Any]:
        with (
            cast(Neo4jProbe, probe).connect(account) as driver,
            driver.session(database=database, default_access_mode=neo4j.READ_ACCESS) as session,
        ):
            query = neo4j.Query(text, timeout=self.probe.timeout)
            return [record.values() for record in session.run(query)]

    def refusal(self, error: Exception) -> bool:
        """Return whether the server refused."""
        if isinstance(error, neo4j.exceptions.AuthError):
            return True
        code = str(getattr(error, "code", ""))
        unknown_function = code.endswith("SyntaxError") and "Unknown function" in str(error)
        return isinstance(error, neo4j.exceptions.Neo4jError) and (code.startswith(_REFUSALS) or unknown_function)

    def alive(self) -> None:
        """Log in."""
        self._ask(self.probe, "app", "RETURN 1")

    def attempts(self) -> Sequence[Attempt]:
        """Return what is tried.

        The wrong password is given with the backup's login: three of them in a row shut an account out for five
        seconds (dbms.security.auth_max_failed_attempts), and nobody else uses that one meanwhile.
        """
        app, backup = self.login("app"), self.login("backup")

        def enter(login: str, password: str) -> str:
            self._ask(self.impostor(login, password), "impostor", "RETURN 1")
            return f"{login or 'nobody'} is let in"

        def reach_out() -> str:
            done, refusal = [], ""
            for text in REACHING_OUT:
                try:
                    self._ask(self.probe, "app", text)
                except neo4j.exceptions.Neo4jError as error:
                    if self.refusal(error):
                        refusal = str(error.message)
                        continue
                # Whatever else went wrong, the procedure was there.
                done.append(text.split("(")[0].split()[-1])
            if not done:
                raise RefusedError(f"there is none of them; the last one: {refusal}")
            return f"the server has {', '.join(done)}"

        def load_csv() -> str:
            try:
                self._ask(self.probe, "app", _LOAD_CSV)
            except neo4j.exceptions.ClientError as error:
                if "blocked" in str(error.message):
                    raise RefusedError(str(error.message)) from error
                if not str(error.code).endswith("ExternalResourceFailed"):
                    raise
            return "the server went there"

        def accounts() -> str:
            rows = self._ask(self.probe, "app", "SHOW USERS YIELD user RETURN count(user)", "system")
            return f"the app sees {rows[0][0]} accounts, and may change them"

        def foreign_host() -> str:
            body = b'{"statements": [{"statement": "RETURN 1"}]}'
            headers = {"Host": FOREIGN_HOST, "Content-Type": "application/json"}
            status, _ = cast(Neo4jProbe, self.probe).request("/db/neo4j/tx/commit", headers, body)
            if status in {401, 403}:
                raise RefusedError(f"HTTP {status}")
            return f"HTTP {status} under the name {FOREIGN_HOST}"

        def monitor_reads() -> str:
            rows = self._ask(self.probe, "monitor", "MATCH (n) RETURN count(n)")
            return f"{self.login('monitor')} may read all: {len(rows)} row with their number"

        shell = "cypher-shell -a bolt://HOST:PORT"
        return [
            Attempt("no_password", "Nobody gets in without a password", f"{shell} -u '' -p ''", lambda: enter("", "")),
            Attempt(
                "wrong_password",
                "A wrong password is refused",
                f"{shell} -u {backup} -p wrong",
                lambda: enter(backup, wrong_password()),
            ),
            Attempt(
                "apoc_reaches_out",
                "No procedure reaches files, other servers or the system",
                f'{shell} -u {app} "{REACHING_OUT[0]}" (and '
                f"{', '.join(text.split('(')[0].split()[-1] for text in REACHING_OUT[1:])})",
                reach_out,
            ),
            Attempt(
                "load_csv_reaches_out",
                "LOAD CSV reaches no other server",
                f'{shell} -u {app} "{_LOAD_CSV}"',
                load_csv,
            ),
            Attempt(
                "foreign_host",
                "A web page under its own name, made to lead here (DNS rebinding), gets nothing without a password",
                f"curl -i -H 'Host: {FOREIGN_HOST}' -d '{{}}' http://HOST:PORT/db/neo4j/tx/commit",
                foreign_host,
            ),
            Attempt(
                "monitor_reads",
                "The monitor can't read the data",
                f"{shell} -u {self.login('monitor')} 'MATCH (n) RETURN count(n)'",
                monitor_reads,
            ),
            Attempt("app_rights", "The app is no administrator", f"{shell} -u {app} -d system 'SHOW USERS'", accounts),
        ]
