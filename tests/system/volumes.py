"""The volumes that nobody named: Docker makes one for each of an image's VOLUME lines that nothing is mounted on.

They are taken from Docker's events, for other stacks' containers on the same host have such volumes too.
"""

from __future__ import annotations

import re
import threading
import time
from types import TracebackType
from typing import Any

import docker
from ready.container import LABEL_STACK

ANONYMOUS = re.compile("[0-9a-f]{64}")


class Anonymous:
    """Collects the anonymous volumes of a stack's containers and of their helpers while it is open.

    A container belongs to the stack by its label, by its name, or by mounting one of the stack's volumes.
    """

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._client = docker.from_env()
        # Read as they come: the daemon remembers the last 256 only. Others', not the stack's, may be many.
        self._events: Any = self._client.events(
            decode=True, filters={"type": ["container", "volume"], "event": ["create", "mount"]}
        )
        self._ours: set[str] = set()
        self._mounted: dict[str, set[str]] = {}
        self._marks: set[str] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        for event in self._events:
            its, attributes = event["Actor"]["ID"], event["Actor"]["Attributes"]
            if event["Type"] == "volume" and event["Action"] == "create":
                self._marks.add(its)
            elif event["Type"] == "volume":
                if its.startswith(f"{self._stack}_"):
                    self._ours.add(attributes["container"])
                self._mounted.setdefault(attributes["container"], set()).add(its)
            elif attributes.get(LABEL_STACK) == self._stack or attributes["name"].startswith(self._stack):
                self._ours.add(its)

    def __enter__(self) -> Anonymous:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._events.close()
        self._thread.join(10)

    def volumes(self) -> set[str]:
        """Return their names, of everything that has happened up to now."""
        client = docker.from_env()
        mark = client.volumes.create(f"{self._stack}-mark", labels={LABEL_STACK: self._stack})
        mark.remove()
        deadline = time.monotonic() + 30
        while str(mark.name) not in self._marks:
            assert self._thread.is_alive(), "Docker's events have ended"
            assert time.monotonic() < deadline, "Docker's events are late"
            time.sleep(0.05)
        of_stack = (self._mounted.get(container, set()) for container in self._ours)
        return {name for names in of_stack for name in names if ANONYMOUS.fullmatch(name)}
