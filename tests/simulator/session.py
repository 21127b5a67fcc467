"""PSRP behind WSMan: runspace pools (shells) and their pipelines, on psrpcore's server side.

psrpcore is not safe for threads, so each shell has one lock. A pipeline runs in a separate thread: what it takes
arrives with Send requests, what it says leaves with Receive requests.
"""

from __future__ import annotations

import queue
import re
import threading
import traceback
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import psrpcore
from psrpcore.types import HostMethodIdentifier, NETException, PSInvocationState

#: Bytes of PSRP in a stream element of a Receive: its base64 stays below MaxEnvelopeSizekb, 500.
FRAGMENT = 340_000
#: Input objects, and output bytes, that may wait before the other side is held back, as Windows does.
INPUT_LIMIT, OUTPUT_LIMIT = 16, 8 * FRAGMENT
_ID = re.compile(r"\A\s*#\s*ready:\s*(\w+)\s+v\d+\s*$", re.MULTILINE)


def script_id(text: str) -> str | None:
    """Return the id in the first line of one of our scripts, or None."""
    found = _ID.match(text)
    return found[1] if found else None


def plain(value: Any) -> Any:
    """Return a PSRP value as plain Python."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


class Pipeline:
    """One pipeline: its script, its input as it comes, and ways to answer."""

    def __init__(self, shell: Shell, key: str) -> None:
        self.shell = shell
        self.key = key
        self.psrp = psrpcore.ServerPipeline(shell.pool, uuid.UUID(key))
        self.text = ""
        self.parameters: dict[str, Any] = {}
        self.has_input = False
        self.done = self.stopped = False
        self.waiting = 0  # bytes of output not fetched yet
        self._input: deque[Any] = deque()
        self._end = False
        self._changed = threading.Condition()

    def describe(self, commands: list[Any], *, no_input: bool) -> None:
        """Take in what the client wants run."""
        command = commands[0]
        self.text = str(command.command_text)
        self.parameters = {str(name): plain(value) for name, value in command.parameters if name}
        self.has_input, self._end = not no_input, no_input

    def give(self, item: Any) -> None:
        """Add an input object."""
        with self._changed:
            self._input.append(item)
            self._changed.notify_all()

    def end_input(self) -> None:
        """Say that no more input comes; also when the client has gone."""
        with self._changed:
            self._end = True
            self._changed.notify_all()

    def await_room(self) -> None:
        """Wait while the script does not take its input."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._input) < INPUT_LIMIT or self.done or self.stopped)

    def input(self) -> Iterator[str]:
        """Yield the input objects as text."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._input) or self._end or self.stopped)
                if not self._input:
                    return
                item = self._input.popleft()
                self._changed.notify_all()
            for part in item if isinstance(item, list) else [item]:
                yield str(part)

    def emit(self, line: str) -> None:
        """Write an output object, held back while the client does not fetch."""
        with self.shell.changed:
            self.shell.changed.wait_for(lambda: self.waiting < OUTPUT_LIMIT or self.stopped)
            if not self.stopped:
                self.psrp.write_output(line)
                self.shell.flush()

    def error(self, text: str) -> None:
        """Write an error record."""
        with self.shell.changed:
            if not self.stopped:
                self.psrp.write_error(NETException(Message=text), fully_qualified_error_id="Simulator")
                self.shell.flush()

    def run(self, work: Callable[[Pipeline], int]) -> None:
        """Do the work and say how it ended. A bug of the simulator must be seen as one."""
        code = 1
        try:
            code = work(self)
        except Exception as error:
            traceback.print_exc()
            self.error(f"simulator: {type(error).__name__}: {error}")
        with self.shell.changed:
            if not self.stopped:
                if code:
                    self.psrp.host_call(HostMethodIdentifier.SetShouldExit, [code])
                self.psrp.complete()
            self.done = True
            self.shell.flush()
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """Stop it: the client's signal, or the end of its shell."""
        with self.shell.changed:
            self.stopped = True
            self.shell.changed.notify_all()
        self.end_input()


class Shell:
    """A runspace pool."""

    def __init__(self, key: str, work: Callable[[Pipeline], int]) -> None:
        self.key = key
        self.pool = psrpcore.ServerRunspacePool()
        self.pipelines: dict[str, Pipeline] = {}
        self.changed = threading.Condition(threading.RLock())
        self._work = work
        self._out: dict[str | None, deque[bytes]] = {}
        self._in: queue.Queue[tuple[bytes, str | None] | None] = queue.Queue(INPUT_LIMIT)
        threading.Thread(target=self._take, daemon=True).start()

    def command(self, key: str) -> None:
        """Make a pipeline; its description follows with `feed`."""
        with self.changed:
            self.pipelines[key] = Pipeline(self, key)

    def send(self, data: bytes, key: str | None) -> None:
        """Take in a payload soon, after those that came before; held back while the script does not take its input."""
        self._in.put((data, key))

    def _take(self) -> None:
        while (item := self._in.get()) is not None:
            data, key = item
            if key in self.pipelines:
                self.pipelines[key].await_room()
            self.feed(data, key)

    def feed(self, data: bytes, key: str | None = None) -> None:
        """Take in a payload and act on what it completes."""
        with self.changed:
            self.pool.receive_data(
                psrpcore.PSRPPayload(data, psrpcore.StreamType.default, uuid.UUID(key) if key else None)
            )
            while (event := self.pool.next_event()) is not None:
                pipeline = self.pipelines.get(str(getattr(event, "pipeline_id", None)).upper())
                if pipeline is None:
                    continue
                if isinstance(event, psrpcore.CreatePipelineEvent):
                    pipeline.psrp.state = PSInvocationState.Running  # start() would say so; PowerShell does not
                    pipeline.describe(event.pipeline.commands, no_input=bool(event.pipeline.no_input))
                    threading.Thread(target=pipeline.run, args=(self._work,), daemon=True).start()
                elif isinstance(event, psrpcore.PipelineInputEvent):
                    pipeline.give(event.data)
                elif isinstance(event, psrpcore.EndOfPipelineInputEvent):
                    pipeline.end_input()
            self.flush()

    def flush(self) -> None:
        """Queue what psrpcore has to say, for the next Receive."""
        while (payload := self.pool.data_to_send(FRAGMENT)) is not None:
            key = str(payload.pipeline_id).upper() if payload.pipeline_id else None
            self._out.setdefault(key, deque()).append(bytes(payload.data))
            if key in self.pipelines:
                self.pipelines[key].waiting += len(payload.data)
        self.changed.notify_all()

    def receive(self, key: str | None, seconds: float) -> tuple[list[bytes], bool] | None:
        """Block as WinRM does, until there is something to say; None when the operation times out.

        The second value says that the pipeline has ended.
        """
        with self.changed:
            queue, pipeline = self._out.setdefault(key, deque()), self.pipelines.get(key or "")
            if not self.changed.wait_for(lambda: bool(queue) or bool(pipeline and pipeline.done), seconds):
                return None
            data: list[bytes] = []
            while queue and (not data or sum(map(len, data)) + len(queue[0]) <= FRAGMENT):
                data.append(queue.popleft())
            if pipeline:
                pipeline.waiting -= sum(map(len, data))
                self.changed.notify_all()
            return data, bool(pipeline and pipeline.done and not queue)

    def close(self) -> None:
        """Stop every pipeline."""
        for pipeline in list(self.pipelines.values()):
            pipeline.stop()
        self._in.put(None)
