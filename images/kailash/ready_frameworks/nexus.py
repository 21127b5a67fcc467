# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nexus: the example application over API, CLI and MCP; sessions and results of runs that channels and workers share.

Two workers run, and a third when both are gone. What a session or a run must hold is known here, and compared as a
whole. Channels are judged by a workflow that needs no store, so they don't fail when a store is away.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from ready_frameworks.context import FAIL, MORE_TIME, PASS, UNKNOWN, Context, finding, worst
from ready_frameworks.nexus_channels import CHANNELS, Channel, ChannelError, LateError
from ready_frameworks.nexus_expected import Found, price, quote, same, short
from ready_frameworks.nexus_server import ServerError, Worker, elsewhere
from ready_frameworks.nexus_timing import busy, judge, load, measure, moment

#: Timed requests of each channel; the CLI starts an interpreter for each.
REQUESTS = {"api": 50, "cli": 5, "mcp": 50}
#: Seconds before the end of the part's time after which nothing more is begun: what has begun needs some, and what is
#: killed loses its findings.
ENDING = 30.0
LATE_MS = 10_000.0
TOGETHER = 20
#: Findings that the rows `session` and `runs` rest upon: one that is missing is no pass.
SESSION = ("write", "read", "stored", "second_worker", "merged", "expires", "restart")
RUNS = ("run", "read", "second_worker", "restart")
_NEXT = {
    "session": "Next: read catalogue/sessions.py, and look at the keys of the prefix in Redis",
    "runs": "Next: read catalogue/runs.py, and look at the keys of the prefix in Redis",
    "redis": "Next: ./ready check, and bring Redis back",
    "postgresql": "Next: ./ready check, and bring PostgreSQL back",
}
_SERVICES, _DRIVERS = {"redis": "Redis", "postgresql": "PostgreSQL"}, {"redis": "redis", "psycopg2": "postgresql"}
_LOG = "Next: read the log of python -m catalogue.server"
Step = Callable[[], object]


class NoTime(Exception):  # noqa: N818
    """The run's time is up."""


class Part:
    """One run of the part."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.ends = context.deadline - min(ENDING, context.left / 4)
        self.session = f"s-{context.word}-{secrets.token_hex(4)}"
        self.others: list[str] = []
        self.live: list[Worker] = []
        self.runs: dict[str, dict[str, str]] = {}
        self.channels: dict[str, dict[str, Any]] = {}
        self.findings: list[dict[str, Any]] = []

    def in_time(self) -> None:
        """End what has no time left."""
        if time.monotonic() > self.ends:
            raise NoTime

    def used(self) -> float:
        """Return the seconds of processor time that the workers have used."""
        return sum(worker.used() for worker in self.live)

    def check(self, name: str, step: Step) -> str:
        """Take one step and keep what it found."""
        begun, marks = time.monotonic(), [(worker, worker.mark()) for worker in self.live]
        before, verdict, detail, store = moment(self.used()), PASS, "", ""
        try:
            self.in_time()
            step()
        except NoTime:
            verdict, detail = UNKNOWN, f"{name}: found no time left; expected the part to end. {MORE_TIME}"
        except LateError as error:
            why = busy(load(before, moment(self.used())))
            verdict, detail = UNKNOWN if why else FAIL, self.context.clean(error)
            detail += f". The host was busy: {', '.join(why)}. Next: run it again when the host is idle" if why else ""
        except ChannelError as error:
            logged = "; ".join(filter(None, (worker.said(mark) for worker, mark in marks)))
            verdict, detail = FAIL, self.context.clean(f"{error}{f' (log: {logged})' if logged else ''}")
        except (Found, ServerError) as error:
            verdict, detail = FAIL, self.context.clean(error)
        except Exception as error:  # drivers and the operating system share no base class
            store = _DRIVERS.get(type(error).__module__.partition(".")[0], "")
            said = f"{_SERVICES.get(store or name, name)}: found {type(error).__name__}: {error}"
            verdict, detail = FAIL, f"{self.context.clean(said)}; expected an answer"
        if detail and "Next:" not in detail:
            detail += f". {_NEXT.get(store or name.partition('.')[0], _LOG)}"
        ms = round((time.monotonic() - begun) * 1000, 1)
        self.findings.append(finding(f"nexus.{name}", verdict, detail, ms=ms))
        self.context.say(f"nexus.{name}: {verdict}{f' ({detail})' if detail else ''}")
        return verdict

    # channels -----------------------------------------------------------------------------------------------------

    def time_channel(self, name: str, worker: Worker) -> None:
        """Judge a channel by its answers, by a failure that it must show, and by its times."""
        wanted, label, begun = REQUESTS[name], name.upper(), moment(worker.used())

        def call(number: int) -> None:
            expected = {key: str(value) for key, value in price(number + 1, 19.5).items()}
            try:
                found = channel.call("price_quote", quote(number + 1))
            except LateError:  # counts by the time it took
                return
            same(f"{label}, workflow price_quote", found, expected)

        try:
            channel = client(worker, name)
            times = measure(call, wanted, self.ends)
            try:
                self.refused(channel)
            except LateError:
                times.append(LATE_MS)
                wanted += 1
            result = judge(label, times, wanted, load(begun, moment(worker.used())))
        except Exception as error:  # whatever it is, the channel can't be used
            kind = "" if isinstance(error, (Found, ChannelError)) else f"{label}: found {type(error).__name__}: "
            detail = f"{self.context.clean(f'{kind}{error}')}. {_LOG}"
            result = {"verdict": FAIL, "detail": detail, "requests": 0, "wanted": wanted}
        self.channels[name] = result
        self.context.say(f"nexus.{name}: {result['verdict']} {result.get('p95_ms', '')} {result['detail']}")

    def refused(self, channel: Channel) -> None:
        """Make a workflow fail: a channel that shows no failure could show no success either."""
        try:
            found = channel.call("price_quote", quote(-1))
        except ChannelError as error:
            if error.refused:
                return
            raise
        raise Found(f"{channel.name.upper()}: found {short(found)} for a workflow that fails; expected a failure")

    # sessions -----------------------------------------------------------------------------------------------------

    def written(self) -> dict[str, dict[str, str]]:
        """Return what the session must hold."""
        return {f"key-{name}": {"channel": name, "value": f"{self.context.word}-{name}"} for name in CHANNELS}

    def write_session(self, worker: Worker) -> None:
        """Write a value through each channel."""
        for channel in clients(worker):
            value = self.written()[f"key-{channel.name}"]["value"]
            put(channel, self.session, f"key-{channel.name}", value)

    def read_session(self, worker: Worker) -> None:
        """Read the whole session through every channel."""
        for channel in clients(worker):
            self.in_time()
            same(f"{channel.name.upper()}, session", values(channel, self.session), self.written())

    def stored(self, redis: Any) -> None:
        """Look into Redis: the session is there, under the prefix, and ends by itself."""
        keys = list(redis.scan_iter(match=f"{self.context.prefix}:*{self.session}*"))
        same("Redis, keys of the session", len(keys), 1)
        same("Redis, fields of the session", sorted(redis.hkeys(keys[0])), sorted(self.written()))
        left = redis.ttl(keys[0])
        if not 0 < left <= 3600:
            raise Found(f"Redis, time to live of the session: found {left} s; expected 1 to 3600")

    def merged(self, first: Worker, second: Worker) -> None:
        """Write different keys at the same time through two channels of two workers: none is lost."""
        name = self.another()

        def write(channel: Channel) -> None:
            for number in range(TOGETHER):
                put(channel, name, f"{channel.name}-{number}", str(number) + "x")

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(write, (first.api(), second.mcp())))
        expected = sorted(f"{channel}-{number}" for channel in ("api", "mcp") for number in range(TOGETHER))
        found = sorted(values(first.mcp(), name))
        if found != expected:
            lost = sorted(set(expected) - set(found))
            raise Found(f"session written by two channels: found {len(lost)} values lost; expected all {len(expected)}")

    def expires(self, worker: Worker) -> None:
        """Write a session for one second."""
        name = self.another()
        api, mcp = worker.api(), worker.mcp()
        put(api, name, "key", "value", seconds=1)
        time.sleep(1.5)
        for channel in (api, mcp):
            try:
                found = values(channel, name)
            except ChannelError as error:
                if not error.refused:
                    raise
            else:
                raise Found(f"{channel.name.upper()}, expired session: found {short(found)}; expected a failure")

    def another(self) -> str:
        """Return the name of one more session."""
        self.others.append(f"{self.session}-{len(self.others)}")
        return self.others[-1]

    # runs ---------------------------------------------------------------------------------------------------------

    def start_runs(self, worker: Worker) -> None:
        """Run a workflow through each channel."""
        for number, channel in enumerate(clients(worker), start=3):
            self.in_time()
            given = {"workflow": "price_quote", "values": quote(number)}
            outputs = {"quote": {"result": price(number, 19.5)}}
            found = channel.call("workflow_run", given)
            text = json.dumps(outputs, sort_keys=True, separators=(",", ":"))
            run = found.get("run_id", "")
            if not run or run in self.runs:
                raise Found(f"{channel.name.upper()}, run id: found {run!r}; expected one that no other run has")
            self.runs[run] = {"run_id": run, "workflow": "price_quote", "outputs": text}
            same(f"{channel.name.upper()}, result of its own run", found, self.runs[run])

    def read_runs(self, channels: Iterable[Channel]) -> None:
        """Read each result through each channel."""
        if len(self.runs) != len(CHANNELS):
            raise Found(f"runs: found {len(self.runs)} to read; expected one of each channel")
        for channel in channels:

            def read(run: str, channel: Channel = channel) -> None:
                self.in_time()
                found = channel.call("run_result", {"run_id": run})
                same(f"{channel.name.upper()}, result by run id", found, self.runs[run])

            # starts of an interpreter take long, and these are not timed; the others have one connection
            with ThreadPoolExecutor(len(CHANNELS) if channel.name == "cli" else 1) as pool:
                list(pool.map(read, self.runs))

    # products -----------------------------------------------------------------------------------------------------

    def product(self, worker: Worker, stores: Any) -> None:
        """Write a product, look into PostgreSQL, and look it up through two channels: the CLI asks the API."""
        name = f"p-{self.context.word}-{secrets.token_hex(4)}"
        expected = {"product_id": name, "name": f"Lamp {self.context.word}", "price": "12.5"}
        given = {"product_id": name, "name": expected["name"], "price": 12.5}
        try:
            worker.api().call("product_save", given)
            with stores.postgresql.cursor() as cursor:
                cursor.execute("SELECT name, price FROM product_catalogs WHERE id = %s", (name,))
                rows = [[row[0], float(row[1])] for row in cursor.fetchall()]
            same("PostgreSQL, product", rows, [[expected["name"], 12.5]])
            for channel in (worker.api(), worker.mcp()):
                same(f"{channel.name.upper()}, product", channel.call("product_lookup", {"product_id": name}), expected)
        finally:
            with suppress(Exception):  # the table may not be there
                stores.postgresql.cursor().execute("DELETE FROM product_catalogs WHERE id = %s", (name,))

    # all ----------------------------------------------------------------------------------------------------------

    def loopback(self, worker: Worker) -> None:
        """See that nobody else reaches the worker."""
        outside = elsewhere(worker.found)
        if outside:
            expected = "expected the loopback address alone. Next: read serve() of catalogue/server.py"
            raise Found(f"Nexus: found it listening on {', '.join(outside)}; {expected}")

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """Start a worker, and end it."""
        with Worker(self.context.settings, self.context.prefix, self.context.clean) as worker:
            self.live.append(worker)
            yield worker

    def sessions_and_runs(self, first: Worker, redis: Any) -> None:
        """Take the steps that need Redis: with one worker, with two, and with one that is new."""
        with self.worker() as second:
            self.check("session.write", lambda: self.write_session(first))
            self.check("session.read", lambda: self.read_session(first))
            self.check("session.stored", lambda: self.stored(redis))
            self.check("session.second_worker", lambda: self.read_session(second))
            self.check("session.merged", lambda: self.merged(first, second))
            self.check("session.expires", lambda: self.expires(first))
            self.check("runs.run", lambda: self.start_runs(first))
            self.check("runs.read", lambda: self.read_runs(clients(first)))
            self.check("runs.second_worker", lambda: self.read_runs((second.api(), second.mcp())))
        first.stop()
        with self.worker() as third:
            self.check("session.restart", lambda: self.read_session(third))
            self.check("runs.restart", lambda: self.read_runs((third.api(), third.mcp())))

    def with_stores(self, first: Worker, stores: Any) -> None:
        """Take the steps that need a store; one that is away doesn't fail the steps that need another."""
        if self.check("postgresql", lambda: stores.postgresql.cursor().execute("SELECT 1")) == PASS:
            self.check("product", lambda: self.product(first, stores))
        if self.check("redis", lambda: stores.redis.ping()) != PASS:
            return
        try:
            self.check("workers", lambda: self.sessions_and_runs(first, stores.redis))
        finally:
            with suppress(Exception):  # what is left goes with the prefix
                self.remove(stores.redis)

    def row(self, kind: str, names: Iterable[str]) -> dict[str, Any]:
        """Return one row of several findings; a step that was not taken fails with what kept it from being taken."""
        found = {item["id"]: item for item in self.findings}
        steps = {name: found.get(f"nexus.{kind}.{name}", {"verdict": UNKNOWN})["verdict"] for name in names}
        causes = [found[name] for name in ("nexus.start", "nexus.redis", "nexus.workers") if name in found]
        missing = [name for name in names if f"nexus.{kind}.{name}" not in found]
        items = [item for name, item in found.items() if name.startswith(f"nexus.{kind}.")]
        items += causes if missing else []
        verdict = worst([*steps.values(), *(item["verdict"] for item in items)])
        detail = "; ".join(item["detail"] for item in items if item["detail"])
        if verdict != PASS and not detail:
            detail = f"{kind}: found {', '.join(missing)} not done; expected all. {_LOG}"
        return {"verdict": verdict, "detail": detail, "steps": steps}

    def result(self) -> dict[str, Any]:
        """Return the result of the part."""
        start = next((item["detail"] for item in self.findings if item["id"] == "nexus.start"), "")
        none = {"verdict": FAIL, "detail": start or f"found no request made; expected some. {_LOG}", "requests": 0}
        rows = {name: self.channels.get(name, none) for name in CHANNELS}
        rows |= {"session": self.row("session", SESSION), "runs": self.row("runs", RUNS)}
        channels = [finding(f"nexus.{name}", rows[name]["verdict"], rows[name]["detail"]) for name in CHANNELS]
        findings = [*channels, *self.findings]
        verdict = worst([*(item["verdict"] for item in findings), *(row["verdict"] for row in rows.values())])
        details = dict.fromkeys(item["detail"] for item in [*findings, *rows.values()] if item["detail"])
        return {"verdict": verdict, "detail": "; ".join(details)[:600], "findings": findings, **rows}

    def remove(self, redis: Any) -> None:
        """Remove the sessions and runs of this run."""
        for name in (self.session, *self.runs):
            keys = list(redis.scan_iter(match=f"{self.context.prefix}:*{name}*"))
            if keys:
                redis.delete(*keys)


def client(worker: Worker, name: str) -> Channel:
    """Return a client of a channel."""
    make: dict[str, Callable[[], Channel]] = {"api": worker.api, "cli": worker.cli, "mcp": worker.mcp}
    return make[name]()


def clients(worker: Worker) -> Iterable[Channel]:
    """Yield a client of each channel."""
    return (client(worker, name) for name in CHANNELS)


def put(channel: Channel, session: str, key: str, value: str, **more: int) -> None:
    """Write one value of a session."""
    given = {"session_id": session, "key": key, "value": value, "channel": channel.name, **more}
    found = channel.call("session_put", given)
    same(f"{channel.name.upper()}, session written", found.get("session_id"), session)


def values(channel: Channel, session: str) -> dict[str, dict[str, str]]:
    """Read a session."""
    try:
        found = json.loads(channel.call("session_get", {"session_id": session}).get("values", ""))
    except ValueError:
        raise Found(f"{channel.name.upper()}, session: found values that are no JSON; expected a session") from None
    return dict(found)


def run(context: Context) -> dict[str, Any]:
    """Show Nexus working, and return what was found."""
    from catalogue.settings import Settings
    from catalogue.stores import Stores

    part = Part(context)
    settings = Settings.from_environment({**context.settings, "CATALOGUE_PREFIX": context.prefix}, strict=False)
    with ExitStack() as ended:
        started: list[Worker] = []
        if part.check("start", lambda: started.append(ended.enter_context(part.worker()))) == PASS:
            part.check("loopback", lambda: part.loopback(started[0]))
            for channel in CHANNELS:
                part.time_channel(channel, started[0])
            with Stores(settings, timeout=5.0) as stores:
                part.with_stores(started[0], stores)
    return part.result()
