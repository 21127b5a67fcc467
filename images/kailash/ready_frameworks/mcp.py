# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MCP: the application's tools over streamable HTTP and over WebSocket, and an agent that uses them.

What the tools must answer is drawn at random in this run and put into the stores by connections that the server does
not use. "Connected" and "executed" are separate findings: a client can list tools that none can call.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from ready_frameworks import agent, mcp_data
from ready_frameworks.context import FAIL, PASS, UNKNOWN, Context, finding, part
from ready_frameworks.mcp_data import Data

NAMES = ("company", "price", "products", "similar", "stock")
#: Tool -> the services that it asks.
SERVICES = {
    "products": ("PostgreSQL",),
    "price": ("PostgreSQL",),
    "stock": ("PostgreSQL",),
    "company": ("Neo4j",),
    "similar": ("PostgreSQL", "ChromaDB"),
}
NOTE = "WebSocket is not in MCP's specification and gone from the SDK in 2.0: applications take streamable HTTP"
#: Seconds: for the server to start, for one request, and what is kept for the end.
START, REQUEST, RESERVE = 30.0, 25.0, 8.0
_STEP = "Next: ./ready status"


def run(context: Context) -> dict[str, Any]:
    """Return the part."""
    from catalogue.settings import Settings
    from catalogue.stores import Stores

    values = {**context.settings, "CATALOGUE_PREFIX": context.prefix}
    settings = Settings.from_environment(values, strict=False)
    drawn = random.Random(f"{context.seed}{context.word}")  # noqa: S311 - test data, no secret
    with Stores(settings, timeout=5.0) as stores:
        data = mcp_data.draw(drawn)
        away = mcp_data.put(stores, data)
        try:
            found = asyncio.run(_look(context, stores, values, data, away, drawn))
        finally:
            mcp_data.remove(stores, data, away)
    findings = [finding(name, verdict, context.clean(detail)) for name, verdict, detail in found.pop("rows")]
    result = found.pop("agent")
    result |= {name: context.clean(result[name]) for name in ("detail", "wrong") if name in result}
    findings.append(finding("agent", result["verdict"], result["detail"], right=result["right"], of=result["of"]))

    def group(*starts: str) -> dict[str, Any]:
        its = part([each for each in findings if each["id"].startswith(starts)])
        return {"verdict": its["verdict"], "detail": its["detail"]}

    return part(
        findings,
        http={**group("http."), **found["http"]},
        websocket={**group("websocket."), **found["websocket"], "note": NOTE},
        tools={**group("tool."), "names": ", ".join(NAMES)},
        agent=result,
    )


Rows = list[tuple[str, str, str]]


async def _look(
    context: Context, stores: Any, values: dict[str, str], data: Data, away: dict[str, str], drawn: random.Random
) -> dict[str, Any]:
    """Return the rows of the findings, the figures of each transport, and the agent's result."""
    rows: Rows = []
    found: dict[str, Any] = {
        "rows": rows,
        "http": {},
        "websocket": {},
        "agent": agent.unjudged(UNKNOWN, "agent: found no tools; expected them by MCP"),
    }
    try:
        async with _server(values) as port:
            found["websocket"] = await _transport("websocket", port, rows, data, away)
            began = time.monotonic()
            try:
                async with _session("http", port) as (session, protocol):
                    found["http"] = {"protocol": protocol, "connect_ms": round(1000 * (time.monotonic() - began), 1)}
                    rows.append(("http.connected", PASS, ""))
                    listed = await _listed(session, "http", rows)
                    await _tools(session, rows, data, away)
                    await _refusals(session, rows, data, away)
                    found["agent"] = await _agent(context, stores, session, listed, data, away, drawn)
            except Exception as error:
                _lost(rows, "http", error)
    except Exception as error:
        rows.append(
            ("http.connected", FAIL, f"MCP server: found {_name(error)}; expected it to listen. Next: see above")
        )
        rows.append(("websocket.connected", FAIL, "MCP server: found it down; expected it to listen"))
    done = {row[0] for row in rows}
    for name in (
        "http.executed",
        "websocket.executed",
        *(f"tool.{each}" for each in NAMES),
        "tool.unknown",
        "tool.failing",
    ):
        if name not in done:
            rows.append((name, FAIL, f"{name}: found it not reached; expected it to be tried"))
    return found


def _name(error: BaseException) -> str:
    """Return what an error is, the first one in a group."""
    while inner := getattr(error, "exceptions", None):
        error = inner[0]
    return f"{type(error).__name__}: {error}"


def _lost(rows: Rows, transport: str, error: BaseException) -> None:
    """Say where a transport broke: before it was connected, or after."""
    connected = (f"{transport}.connected", PASS, "") in rows
    name = f"{transport}.{'kept' if connected else 'connected'}"
    rows.append(
        (name, FAIL, f"MCP by {transport}: found {_name(error)}; expected a session that lasts. Next: see above")
    )


@asynccontextmanager
async def _server(values: dict[str, str]) -> AsyncIterator[int]:
    """Start the application's server as a separate process; give its port."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "catalogue.tools", "--port", "0"),
        env={**os.environ, **values},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("it has no output")
        line = await asyncio.wait_for(process.stdout.readline(), START)
        if not line.strip():
            raise RuntimeError("it ended before it listened")
        yield int(line.rsplit(b":", 1)[1])
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def _session(transport: str, port: int) -> AsyncIterator[tuple[Any, str]]:
    """Connect and shake hands; give the session and the protocol's version."""
    from datetime import timedelta

    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # known, and said in the report: NOTE
        from mcp.client.websocket import websocket_client

        if transport == "http":
            connection: Any = streamable_http_client(f"http://127.0.0.1:{port}/mcp")
        else:
            connection = websocket_client(f"ws://127.0.0.1:{port}/ws")
    async with connection as streams:
        limit = timedelta(seconds=REQUEST)
        async with ClientSession(streams[0], streams[1], read_timeout_seconds=limit) as session:
            began = await session.initialize()
            if began.serverInfo.name != "catalogue":
                raise RuntimeError(f"another server: {began.serverInfo.name}")
            yield session, str(began.protocolVersion)


async def _listed(session: Any, transport: str, rows: Rows) -> list[Any]:
    listed = list((await session.list_tools()).tools)
    names = sorted(tool.name for tool in listed)
    right = tuple(names) == NAMES
    said = "" if right else f"tools by {transport}: found {', '.join(names)}; expected {', '.join(NAMES)}"
    rows.append((f"{transport}.listed", PASS if right else FAIL, said))
    return listed


async def _call(session: Any, name: str, arguments: dict[str, Any]) -> tuple[bool, Any]:
    """Return whether a tool failed, and what it said: the fields of its answer, or a text."""
    from mcp import McpError

    try:
        answer = await session.call_tool(name, arguments)
    except McpError as error:  # no answer in time: the session itself lasts
        return True, f"{error}"
    text = " ".join(getattr(each, "text", "") for each in answer.content)
    if answer.isError:
        return True, text
    return False, answer.structuredContent if isinstance(answer.structuredContent, dict) else text


def _verdict(name: str, failed: bool, answer: Any, data: Data, product: str, away: dict[str, str]) -> tuple[str, str]:
    """Return verdict and detail of one tool."""
    expected = data.answers(name, product)
    if not failed and answer == expected:
        return PASS, ""
    missing = [f"{each} ({away[each]})" for each in SERVICES[name] if each in away]
    if missing:
        return FAIL, f"tool {name}: found no data, {', '.join(missing)} gave no answer; expected it to. {_STEP}"
    return FAIL, f"tool {name}: found {answer!r}; expected {expected!r}. {_STEP}"


async def _tools(session: Any, rows: Rows, data: Data, away: dict[str, str]) -> None:
    """Call every tool over HTTP, and compare its whole answer with what is in the stores."""
    verdicts: list[str] = []
    for name in NAMES:
        product = data.products[len(verdicts) % len(data.products)]
        arguments = {} if name == "products" else {"product": product}
        verdict, detail = _verdict(name, *await _call(session, name, arguments), data, product, away)
        verdicts.append(verdict)
        rows.append((f"tool.{name}", verdict, detail))
    executed = PASS in verdicts
    rows.append(
        (
            "http.executed",
            PASS if executed else FAIL,
            "" if executed else f"tools by HTTP: found none that answers; expected {len(NAMES)}. {_STEP}",
        )
    )


async def _refusals(session: Any, rows: Rows, data: Data, away: dict[str, str]) -> None:
    """Tell a tool that is not there from one that fails, and both from one that works."""
    failed, said = await _call(session, "no_such_tool", {})
    right = failed and "unknown tool" in str(said).lower() and "no_such_tool" in str(said)
    rows.append(
        (
            "tool.unknown",
            PASS if right else FAIL,
            "" if right else f"an unknown tool: found {said!r}; expected an error that says so",
        )
    )
    tool = next((name for name in ("price", "company") if not set(SERVICES[name]) & set(away)), "")
    if not tool:
        rows.append(("tool.failing", UNKNOWN, f"a tool that fails: found no store that answers; expected one. {_STEP}"))
        return
    failed, said = await _call(session, tool, {"product": f"no {data.word}"})
    text = str(said).lower()
    right = failed and "no product named" in text and data.word in text and "unknown tool" not in text
    after, answer = await _call(session, tool, {"product": data.products[0]})
    right = right and not after and answer == data.answers(tool, data.products[0])
    rows.append(
        (
            "tool.failing",
            PASS if right else FAIL,
            ""
            if right
            else f"a tool that fails: found {said!r}; expected an error with its reason, and the next call to work",
        )
    )


async def _transport(name: str, port: int, rows: Rows, data: Data, away: dict[str, str]) -> dict[str, Any]:
    """Connect by a transport, list and execute."""
    began, figures = time.monotonic(), {}
    try:
        async with _session(name, port) as (session, protocol):
            figures = {"protocol": protocol, "connect_ms": round(1000 * (time.monotonic() - began), 1)}
            rows.append((f"{name}.connected", PASS, ""))
            await _listed(session, name, rows)
            tool = next((each for each in ("price", "company") if not set(SERVICES[each]) & set(away)), "price")
            product = data.products[-1]
            verdict, detail = _verdict(tool, *await _call(session, tool, {"product": product}), data, product, away)
            rows.append((f"{name}.executed", verdict, detail))
    except Exception as error:
        _lost(rows, name, error)
    return figures


async def _agent(
    context: Context,
    stores: Any,
    session: Any,
    listed: list[Any],
    data: Data,
    away: dict[str, str],
    drawn: random.Random,
) -> dict[str, Any]:
    """Return what the agent did, or why it was not asked."""
    settings = stores.settings
    if not settings.has_ai:
        return agent.unjudged(
            UNKNOWN, "agent: found no AI service (ready_ai_backend: none); expected one. Next: set it"
        )
    if gone := sorted({each for tool in agent.WORDINGS for each in SERVICES[tool]} & set(away)):
        why = f"agent: found {' and '.join(gone)} without an answer, which its questions need; expected it. {_STEP}"
        return agent.unjudged(UNKNOWN, why)
    external = settings.ai_backend == "external"
    try:
        client = stores.openai
    except Exception as error:
        return agent.unjudged(FAIL, f"agent: found {_name(error)}; expected a client of the AI service")
    model = agent.Model(client, settings.openai_model, external, context.tokens, context.deadline - RESERVE)

    async def call(name: str, arguments: dict[str, Any]) -> tuple[bool, Any]:
        return await _call(session, name, arguments)

    questions = agent.draw(drawn, data.facts)
    return await agent.ask_all(model, questions, listed, call, drawn)
