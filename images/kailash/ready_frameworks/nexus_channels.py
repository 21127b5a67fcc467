# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The three channels of a Nexus application, as clients of it use them.

A channel answers with the dict that a workflow or handler gave, every value as text. What merely looks like success is
a failure: a failed node inside an answer with status 200, a CLI that ends with 0 and prints nothing, an MCP result
whose text is the error.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Protocol

CHANNELS = ("api", "cli", "mcp")
HOST = "127.0.0.1"
TIMEOUT = 10.0
CLI_TIMEOUT = 25.0  # it starts an interpreter, which takes long on a busy host
PROTOCOL = "2025-06-18"
_MCP_ERROR = "Tool execution error"


class ChannelError(Exception):
    """A channel gave no answer, or one that is a failure.

    `refused` says that the application answered, and that its answer is a failure.
    """

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class LateError(ChannelError):
    """A channel gave no answer in time."""


class Channel(Protocol):
    """What every channel can do."""

    name: str

    def call(self, workflow: str, values: Mapping[str, Any]) -> dict[str, str]:
        """Run a workflow or handler and return its result; ChannelError if there is none."""


def flat(result: Any, where: str) -> dict[str, str]:
    """Return a result as text by name, so that results of different channels can be compared."""
    if not isinstance(result, dict) or not result:
        raise ChannelError(f"{where}: found a result that is no dict, or empty", refused=True)
    if result.get("failed") or result.get("error"):
        raise ChannelError(f"{where}: found a failure given as a result: {result.get('error')}", refused=True)
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in result.items()}


def of_api(status: int, body: str) -> dict[str, str]:
    """Read an answer of the API: the outputs of one node."""
    if status != 200:
        raise ChannelError(f"API: found status {status}; expected 200", refused=True)
    try:
        outputs = json.loads(body)["outputs"]
        (output,) = outputs.values()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ChannelError("API: found no outputs of one node in the answer", refused=True) from None
    if not isinstance(output, dict):
        raise ChannelError("API: found an output that is no dict", refused=True)
    if output.get("failed") or output.get("error"):
        raise ChannelError(
            f"API: found a failed node in an answer with status 200: {output.get('error')}", refused=True
        )
    return flat(output.get("result"), "API")


def of_cli(code: int, out: str, err: str) -> dict[str, str]:
    """Read what the CLI printed: a line for each value of the result."""
    if code != 0:
        last = (err.strip().splitlines() or ["nothing printed"])[-1]
        raise ChannelError(f"CLI: found exit code {code} ({last})", refused="Server Error" in err)
    result: dict[str, Any] = {}
    for line in out.splitlines():
        name, colon, value = line.partition(": ")
        if not colon:
            raise ChannelError(f"CLI: found a line that is no value: {line[:80]!r}", refused=True)
        result[name] = value
    if not result:
        raise ChannelError("CLI: found exit code 0 and nothing printed; expected a result", refused=True)
    return flat(result, "CLI")


def of_mcp(reply: Mapping[str, Any]) -> dict[str, str]:
    """Read the reply to tools/call: a text that is JSON."""
    if "error" in reply:
        raise ChannelError(f"MCP: found the error {_shown(reply['error'])}", refused=True)
    result = reply.get("result")
    content = result.get("content") if isinstance(result, dict) else None
    said = content[0].get("text") if isinstance(content, list) and content and isinstance(content[0], dict) else None
    if not isinstance(said, str):
        raise ChannelError("MCP: found no text in the result", refused=True)
    if (isinstance(result, dict) and result.get("isError")) or said.startswith(_MCP_ERROR):
        raise ChannelError(f"MCP: found a tool that failed: {said.splitlines()[0]}", refused=True)
    try:
        return flat(json.loads(said), "MCP")
    except ValueError:
        raise ChannelError(f"MCP: found text that is no JSON: {said[:80]!r}", refused=True) from None


def _shown(error: Any) -> str:
    return f"{error.get('code')}: {error.get('message')}" if isinstance(error, dict) else str(error)


class Api:
    """HTTP, on one connection."""

    name = "api"

    def __init__(self, port: int) -> None:
        import httpx

        # no proxy of the environment: it would answer for the loopback address
        self._client = httpx.Client(base_url=f"http://{HOST}:{port}", timeout=TIMEOUT, trust_env=False)

    def call(self, workflow: str, values: Mapping[str, Any]) -> dict[str, str]:
        """Run a workflow."""
        import httpx

        try:
            answer = self._client.post(f"/workflows/{workflow}/execute", json={"inputs": dict(values)})
        except httpx.TimeoutException:
            raise LateError(f"API: found no answer after {TIMEOUT:.0f} s; expected one") from None
        except httpx.HTTPError as error:
            raise ChannelError(f"API: found {type(error).__name__}; expected an answer") from None
        return of_api(answer.status_code, answer.text)

    def close(self) -> None:
        """End the connection."""
        self._client.close()


class Cli:
    """`python -m nexus.cli`, which asks the API; every call starts an interpreter."""

    name = "cli"

    def __init__(self, port: int, environment: Mapping[str, str]) -> None:
        self._start = [sys.executable, "-m", "nexus.cli", "--url", f"http://{HOST}:{port}", "run"]
        self._environment = dict(environment)

    def call(self, workflow: str, values: Mapping[str, Any]) -> dict[str, str]:
        """Run a workflow."""
        given = [
            f"--param={name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items()
        ]
        with subprocess.Popen(  # noqa: S603 - our own words
            [*self._start, workflow, *given],
            env=self._environment,
            cwd="/",  # `-m` looks into the working directory first
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=CLI_TIMEOUT)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise LateError(f"CLI: found no end after {CLI_TIMEOUT:.0f} s; expected an answer") from None
                raise
        return of_cli(process.returncode, out, err)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class Mcp:
    """JSON-RPC over WebSocket: the MCP channel of Nexus gives the official client answers that it refuses."""

    name = "mcp"

    def __init__(self, port: int) -> None:
        from websockets.exceptions import WebSocketException  # type: ignore[import-not-found]
        from websockets.sync.client import connect  # type: ignore[import-not-found]

        self._broken = (WebSocketException, OSError, TimeoutError)
        self._last = 0
        try:
            self._socket = connect(f"ws://{HOST}:{port}", open_timeout=TIMEOUT, close_timeout=1, proxy=None)
        except self._broken as error:
            raise ChannelError(f"MCP: found {type(error).__name__}; expected a connection") from None
        client = {"name": "ready", "version": "1"}
        hello = self._ask("initialize", {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client})
        if "result" not in hello:
            raise ChannelError(f"MCP: found {_shown(hello.get('error'))}; expected a handshake")

    def _ask(self, method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self._last += 1
        message = {"jsonrpc": "2.0", "id": self._last, "method": method, "params": parameters}
        try:
            self._socket.send(json.dumps(message))
            while True:
                reply = json.loads(self._socket.recv(timeout=TIMEOUT))
                if isinstance(reply, dict) and reply.get("id") == self._last:
                    return reply
        except TimeoutError:
            raise LateError(f"MCP: found no answer after {TIMEOUT:.0f} s; expected one") from None
        except (*self._broken, ValueError) as error:
            raise ChannelError(f"MCP: found {type(error).__name__}; expected an answer") from None

    def call(self, workflow: str, values: Mapping[str, Any]) -> dict[str, str]:
        """Call the tool that a workflow is."""
        return of_mcp(self._ask("tools/call", {"name": workflow, "arguments": dict(values)}))

    def close(self) -> None:
        """End the connection."""
        self._socket.close()
