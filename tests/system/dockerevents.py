"""Docker's events, heard while something happens.

Asked for afterwards they may be gone: the daemon remembers the last 256 of all its containers, and each health test is
three. So others on the same host take these away within seconds.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, TypeVar

import docker
from ready.common.labels import LABEL_STACK

Its = TypeVar("Its", bound="Events")


class Events:
    """Collects what happens to the containers that are called so, while it is open.

    Args:
        name: what the names of containers begin with; of the volume that marks how far it has heard, too.
        kinds: the actions that are wanted.
    """

    def __init__(self, name: str, *kinds: str) -> None:
        self._name = name
        self._client = docker.from_env()
        self._events: Any = self._client.events(
            decode=True, filters={"type": ["container", "volume"], "event": ["create", *kinds]}
        )
        self._found: list[dict[str, Any]] = []
        self._marks: set[str] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def heard(self, event: dict[str, Any]) -> None:
        """Keep an event of such a container."""
        if event["Type"] == "container" and event["Actor"]["Attributes"]["name"].startswith(self._name):
            self._found.append(event)

    def _run(self) -> None:
        for event in self._events:
            if event["Type"] == "volume" and event["Action"] == "create":
                self._marks.add(event["Actor"]["ID"])
            else:
                self.heard(event)

    def __enter__(self: Its) -> Its:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._events.close()
        self._thread.join(10)

    def caught_up(self) -> None:
        """Wait until everything that has happened up to now was heard."""
        client = docker.from_env()
        mark = client.volumes.create(f"{self._name}-mark-{time.time_ns()}", labels={LABEL_STACK: self._name})
        mark.remove()
        deadline = time.monotonic() + 60
        while str(mark.name) not in self._marks:
            assert self._thread.is_alive(), "Docker's events have ended"
            assert time.monotonic() < deadline, "Docker's events are late"
            time.sleep(0.05)

    def until_now(self) -> list[dict[str, Any]]:
        """Return all that was heard, of everything that has happened up to now, in its order."""
        self.caught_up()
        return sorted(self._found, key=lambda event: int(event["timeNano"]))
