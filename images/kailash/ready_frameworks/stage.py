# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where nodes are executed, and the witness: a second connection that puts the rows and reads what became of them.

Nothing waits for ever: nodes run in a thread, and while one is waited for the services are asked whether they answer.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ready_frameworks.context import Context
from ready_frameworks.kinds import Row, Shape, node_name, refusal

#: Seconds: for a query of the witness; between two looks at services while a node runs; for a node of which all answer.
_QUERY, _LOOK, _NODE, _SETUP = 4.0, 4.0, 30.0, 60.0
#: Seconds that are kept for the end of the part.
RESERVE = 6.0
#: Nodes whose code is written by who uses them: with these a capability would prove nothing of the framework's.
_OWN_CODE = {"PythonCodeNode", "AsyncPythonCodeNode", "DataTransformer", "CodeValidationNode"}
#: Packages whose nodes are released with them.
_RELEASED = {"kailash", "dataflow"}

Node = tuple[str, Any, Mapping[str, Any]]
Link = tuple[str, str, str, str]


class AwayError(Exception):
    """A service does not answer."""

    def __init__(self, service: str, text: str) -> None:
        super().__init__(text)
        self.service = service


class RefusedError(Exception):
    """A node failed, by an exception or by what it answered."""


class WrongError(Exception):
    """A node said that it did its work, and what is there says otherwise."""


class Witness:
    """A connection of asyncpg's to the same database, which no node uses."""

    def __init__(self, url: str) -> None:
        self._url, self._loop, self._lock = url, asyncio.new_event_loop(), threading.Lock()
        self._connection: Any = None
        self.value("select 1")

    def _do(self, what: Callable[[Any], Any]) -> Any:
        import asyncpg

        async def ask() -> Any:
            if self._connection is None or self._connection.is_closed():
                try:
                    self._connection = await asyncpg.connect(self._url, timeout=_QUERY)
                except asyncpg.PostgresError as error:  # a login or a database that it does not know
                    raise AwayError("postgresql", str(error)) from error
            return await what(self._connection)

        with self._lock:
            try:
                return self._loop.run_until_complete(asyncio.wait_for(ask(), _QUERY))
            except asyncio.TimeoutError as error:
                self.close()
                raise AwayError("postgresql", f"no answer within {_QUERY:g} s") from error
            except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
                self.close()
                raise AwayError("postgresql", f"{type(error).__name__}: {error}") from error
            except (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError) as error:
                self.close()
                raise AwayError("postgresql", str(error)) from error

    def value(self, sql: str, *arguments: Any) -> Any:
        """Return one value."""
        return self._do(lambda connection: connection.fetchval(sql, *arguments))

    def records(self, sql: str, *arguments: Any) -> list[Row]:
        """Return rows."""
        return [dict(record) for record in self._do(lambda connection: connection.fetch(sql, *arguments))]

    def execute(self, sql: str, *arguments: Any) -> None:
        """Execute a statement."""
        self._do(lambda connection: connection.execute(sql, *arguments))

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Insert rows that have the same fields."""
        fields = ", ".join(f'"{field}"' for field in rows[0])
        places = ", ".join(f"${number}" for number in range(1, len(rows[0]) + 1))
        sql = f'insert into "{table}" ({fields}) values ({places})'  # noqa: S608 - names of fields of the models
        self._do(lambda connection: connection.executemany(sql, [tuple(row.values()) for row in rows]))

    def plan(self, sql: str) -> str:
        """Return how PostgreSQL would answer a query if it might not read the whole table, as with small ones."""

        async def explain(connection: Any) -> Any:
            async with connection.transaction():
                await connection.execute("set local enable_seqscan = off")
                return await connection.fetch(f"explain {sql}")

        return "\n".join(str(record[0]) for record in self._do(explain))

    def close(self) -> None:
        """Drop the connection without asking the server, which may hang."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


class Worker:
    """A thread that calls functions, one after the other; one that hangs is left behind."""

    def __init__(self) -> None:
        self._tasks: queue.Queue[tuple[Callable[[], Any], queue.Queue[tuple[bool, Any]]]] = queue.Queue()
        self._start()

    def _start(self) -> None:
        self._tasks = queue.Queue()
        threading.Thread(target=self._work, args=(self._tasks,), daemon=True).start()

    @staticmethod
    def _work(tasks: queue.Queue[tuple[Callable[[], Any], queue.Queue[tuple[bool, Any]]]]) -> None:
        while True:
            function, answer = tasks.get()
            try:
                answer.put((True, function()))
            except BaseException as error:  # raised where it is waited for
                answer.put((False, error))

    def call(self, function: Callable[[], Any], limit: float, look: Callable[[], None], every: float = _LOOK) -> Any:
        """Return what a function returns; `look` raises when there is no use in waiting.

        Raises:
            RefusedError: it took longer than the limit.
        """
        answer: queue.Queue[tuple[bool, Any]] = queue.Queue()
        self._tasks.put((function, answer))
        end = time.monotonic() + limit
        while True:
            try:
                done, value = answer.get(timeout=max(0.01, min(every, end - time.monotonic())))
            except queue.Empty:
                try:
                    look()
                    if time.monotonic() >= end:
                        raise RefusedError(f"no answer within {limit:g} s")
                except Exception:
                    self._start()
                    raise
                continue
            if done:
                return value
            raise value


class Stage:
    """DataFlow on the database of the run, with the tables of all models."""

    def __init__(self, context: Context) -> None:
        self.context, self.word = context, context.word
        self.url = context.settings["DATABASE_URL"]
        self.witness, self.worker = Witness(self.url), Worker()
        self.tables: dict[str, str] = {}
        self.times: list[float] = []
        self.used: list[str] = []
        self.looks: list[Callable[[], None]] = [lambda: self.witness.execute("select 1")]
        self._runtimes: dict[str, Any] = {}
        self.db: Any = None
        try:
            self.worker.call(self._open, _SETUP, self.look)
        except Exception as error:
            if not isinstance(error, AwayError):
                self.look()
            raise
        self.times.clear()

    def _open(self) -> None:
        from importlib import import_module

        from catalogue import models
        from dataflow import DataFlow

        for name in ("cache", "data", "logic", "transform"):  # the registry knows only what has been imported
            import_module(f"kailash.nodes.{name}")
        import_module("dataflow.nodes")
        self.db = DataFlow(self.url, pool_size=4, max_overflow=2)
        models.define(self.db)
        self.db.create_tables()
        self.tables = {name: self.db.get_model_info(name)["table_name"] for name in models.NAMES}
        self._run([("first", node_name(models.NAMES[0], "Count"), {"filter": {}})], (), {}, False)  # opens the pool

    def look(self) -> None:
        """Ask every service that is in use whether it answers.

        Raises:
            AwayError: one does not.
        """
        for look in self.looks:
            look()

    def generated(self) -> list[str]:
        """Return the names of the nodes that DataFlow generated and registered."""
        from kailash.nodes.base import NodeRegistry

        found: dict[str, Any] = NodeRegistry.list_nodes()
        return [name for name, its in found.items() if its.__module__ == "dataflow.core.nodes"]

    def execute(
        self,
        nodes: Sequence[Node],
        links: Sequence[Link] = (),
        inputs: Mapping[str, Mapping[str, Any]] | None = None,
        allowed: Sequence[str] = (),
        branches: bool = False,
    ) -> dict[str, Any]:
        """Build a workflow, execute it, and return what its nodes answered.

        Args:
            nodes: id, type and configuration of each.
            links: node, output, node, input.
            inputs: of a run, by node.
            allowed: keys of answers that are no failure here.
            branches: leave nodes out of which a switch does not give an input.

        Raises:
            RefusedError: a node failed, or said so in its answer.
            AwayError: a service does not answer.
        """
        names = [kind if isinstance(kind, str) else kind.__name__ for _, kind, _ in nodes]
        if own := _OWN_CODE & set(names):
            raise RefusedError(f"{', '.join(sorted(own))}: the work must be done by released nodes")
        self.used += [name for name in names if name not in self.used]
        try:
            answers: dict[str, Any] = self.worker.call(
                lambda: self._run(nodes, links, inputs or {}, branches), _NODE, self.look
            )
        except AwayError:
            raise
        except Exception as error:
            self.look()
            raise RefusedError(f"{type(error).__name__}: {error}") from error
        if said := [f"{key}: {text}" for key, answer in answers.items() if (text := refusal(answer, allowed))]:
            self.look()
            raise RefusedError("; ".join(said))
        if not branches and (silent := [key for key, _, _ in nodes if key not in answers]):
            raise RefusedError(f"no answer of {', '.join(silent)}")
        return answers

    def _run(self, nodes: Sequence[Node], links: Sequence[Link], inputs: Any, branches: bool) -> dict[str, Any]:
        from kailash.nodes.base import NodeRegistry
        from kailash.workflow.builder import WorkflowBuilder

        if other := foreign(kind if isinstance(kind, type) else NodeRegistry.get(kind) for _, kind, _ in nodes):
            raise RefusedError(f"{', '.join(other)}: the work must be done by released nodes")
        workflow, runtime = WorkflowBuilder(), self._runtime("skip_branches" if branches else "route_data")
        started = time.perf_counter()
        for key, kind, settings in nodes:
            workflow.add_node(kind, key, dict(settings))
        for link in links:
            workflow.add_connection(*link)
        answers = runtime.execute(workflow.build(), parameters={key: dict(its) for key, its in inputs.items()})[0]
        self.times.append((time.perf_counter() - started) * 1000)
        return dict(answers)

    def _runtime(self, mode: str) -> Any:
        from kailash.runtime.local import LocalRuntime

        if mode not in self._runtimes:
            self._runtimes[mode] = LocalRuntime(conditional_execution=mode)
        return self._runtimes[mode]

    def rows(self, shape: Shape, mine: bool = True) -> dict[str, Row]:
        """Return the rows of a table by id: those of this run, or the others."""
        fields, table = ", ".join(f'"{field}"' for field in shape.fields), self.tables[shape.name]
        sql = f'select {fields} from "{table}" where starts_with(id, $1) = $2'  # noqa: S608 - names of fields
        return {item["id"]: item for item in self.witness.records(sql, f"{self.word}-", mine)}

    def put(self, shape: Shape, rows: Iterable[Row]) -> None:
        """Replace what this run has in a table."""
        table, rows = self.tables[shape.name], list(rows)
        self.witness.execute(f'delete from "{table}" where starts_with(id, $1)', f"{self.word}-")  # noqa: S608
        if rows:
            self.witness.insert(table, rows)

    def close(self) -> None:
        """Let go of the connections; a store that hangs does not keep this waiting."""

        def end() -> None:
            for runtime in self._runtimes.values():
                runtime.close()
            if self.db is not None:
                self.db.cleanup_nodes()
                self.db.close()

        try:
            self.worker.call(end, _LOOK * 2, lambda: None)
        except Exception as error:  # what was found is not changed by it
            self.context.say(f"DataFlow's connections were not closed: {error}")
        self.witness.close()


def foreign(classes: Iterable[type]) -> list[str]:
    """Return nodes that are not part of a release of the frameworks, whatever name they are registered by."""
    return sorted(its.__name__ for its in classes if its.__module__.split(".")[0] not in _RELEASED)


def service_text(service: str, text: str) -> str:
    """Say that a service does not answer."""
    title = {"postgresql": "PostgreSQL", "redis": "Redis"}[service]
    return f"found {title} not usable ({text}); expected an answer within 10 s. Next: ./ready status"


def with_options(url: str, **options: object) -> str:
    """Return a URL with more options in its query."""
    more = "&".join(f"{name}={value}" for name, value in options.items())
    return f"{url}{'&' if urlsplit(url).query else '?'}{more}"
