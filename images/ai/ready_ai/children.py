# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The processes that have a model each, as their parent sees them."""

from __future__ import annotations

import http.client
import json
import secrets
import signal
import subprocess
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from .config import Model
from .engine import EMBEDDING_TOKENS

#: Seconds in which a process must answer what needs no model.
PATIENCE = 2
#: Seconds in which a process whose model is loaded must describe it, and between two attempts.
LOADED, PAUSE = 60, 0.2
MODELS = "/v1/models"
SETTINGS = "Next: correct what the settings say about the model"


class SilentError(Exception):
    """A model's process does not answer."""


class Child:
    """One model's process. `port` is 0 until it can answer requests."""

    def __init__(self, model: Model, program: list[str], threads: int) -> None:
        """Start the process; `wait` ends when it can answer."""
        self.model, self.key, self.port, self.failure = model, secrets.token_hex(32), 0, ""
        self.tokens = model.limits.get("context_tokens", EMBEDDING_TOKENS)  # of one request; `wait` reads what it is
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        job = {**vars(model), "key": self.key, "threads": threads}
        assert self.process.stdin
        try:
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()  # it stays open: its end is the child's
        except BrokenPipeError:
            return  # it has ended, which the parent sees
        threading.Thread(target=self.wait, daemon=True).start()

    def wait(self) -> None:
        """Wait until the model is loaded, and end the process if it is not what ai.json says."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            return
        port = urlsplit(json.loads(line)["address"]).port or 0
        until = time.monotonic() + LOADED
        while True:
            try:
                self.failure = self._compare(self._get(port, MODELS)["data"][0]["meta"])
                break
            except SilentError as error:
                if time.monotonic() > until:
                    self.failure = (
                        f"found {error}, and so for {LOADED} s, expected an answer about the model. "
                        "Next: see what else takes the host's processors"
                    )
                    break
                time.sleep(PAUSE)
        if self.failure:
            self.process.terminate()
        else:
            self.port = port
            print(f"ready-ai: {self.model.kind}: {self.model.name} is ready", flush=True)

    def _compare(self, found: dict[str, int]) -> str:
        """Return what is not as ai.json says. The context may be larger than asked for: llama.cpp rounds it up."""
        least, self.tokens = self.tokens, found["n_ctx"]
        if self.tokens < least:
            return f"found a context of {self.tokens} tokens, expected {least}. {SETTINGS}"
        dimensions = self.model.limits.get("dimensions", found["n_embd"])
        if found["n_embd"] != dimensions:
            return f"found {found['n_embd']} dimensions in {self.model.file}, expected {dimensions}. {SETTINGS}"
        return ""

    def get(self, path: str) -> Any:
        """Return the JSON that the process answers. Raises SilentError."""
        if not self.port:
            raise SilentError(f"{self.model.kind}: {self.model.name} is not loaded yet")
        return self._get(self.port, path)

    def _get(self, port: int, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.key}"})
            response = connection.getresponse()
            content = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = "no answer" if isinstance(error, TimeoutError) else type(error).__name__
            raise SilentError(f"{self.model.kind}: {why} of {self.model.name} in {PATIENCE} s") from error
        finally:
            connection.close()
        if response.status != 200:
            raise SilentError(f"{self.model.kind}: {self.model.name} answered {response.status}")
        return content

    def describe(self) -> dict[str, Any]:
        """Return llama.cpp's description of the model. Raises SilentError."""
        return dict(self.get(MODELS)["data"][0])

    def ended(self) -> str:
        """Return how the process has ended and the next step, or nothing while it runs."""
        code = self.process.poll()
        if code is None:
            return ""
        if self.failure:
            return f"{self.failure}."
        end = f"{signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if code == -signal.SIGKILL:
            end = "killed by SIGKILL, as when memory is short"
        if self.port:  # what it wrote since then is nowhere: it could quote a request
            return (
                f"found {end} after it was ready, expected none: a request made it end, or the kernel did for memory. "
                "Next: nothing once, Docker starts it again; give the container more memory where it recurs."
            )
        if code == -signal.SIGKILL:
            return f"found {end}, expected none. Next: give the container more memory (ai_memory)."
        return f"found {end}, expected none. Next: read the lines before this one."


def start(models: list[Model], threads: int) -> dict[str, Child]:
    """Start a process per model; return kind -> process."""
    program = [sys.executable, "-I", sys.argv[0], "--serve"]
    return {model.kind: Child(model, program, threads) for model in models}
