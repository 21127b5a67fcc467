"""A host with one stack of Redis, whose restore can be killed at any step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import NotFound
from ready.backups.restore import run
from ready.backups.restore.replaced_data import ReplacedData
from ready.backups.workspace import Workspace
from ready.common.labels import LABEL_STACK

REAL = "s_redis_data"
STACK: dict[str, Any] = {
    "name": "s",
    "network": "s",
    "services": {
        "redis": {"name": "redis", "container": "s-redis", "stop_timeout": 1, "volumes": [{"name": REAL, "path": "/d"}]}
    },
}
#: The volume with the proven data.
SCRATCH = f"s.restore_{REAL}"


class KilledError(BaseException):
    """The process is gone: nothing of it runs any more."""


class Host:
    """A host's volumes and one container, which dies at a chosen step; nothing may start on half of the data."""

    def __init__(self, status: str) -> None:
        self.data: dict[str, str] = {REAL: "old", SCRATCH: "new"}
        self.labels: dict[str, dict[str, str]] = {REAL: {LABEL_STACK: "s"}}
        self.status, self.before, self.left = status, status, -1
        self.containers = SimpleNamespace(get=lambda _: self)
        self.volumes = SimpleNamespace(get=self._volume, create=self._create)
        self.attrs = {"Image": "image", "Config": {"Image": "ready/redis:7"}}
        self.name = "s-redis"

    def step(self) -> None:
        """Die here when it is time."""
        self.left -= 1
        if self.left == 0:
            raise KilledError

    def _volume(self, name: str) -> Any:
        if name not in self.data:
            raise NotFound(name)
        return SimpleNamespace(attrs={"Labels": self.labels.get(name)}, remove=lambda: self._remove(name))

    def _create(self, name: str, labels: dict[str, str]) -> None:
        self.step()
        self.data.setdefault(name, "")
        self.labels[name] = labels

    def _remove(self, name: str) -> None:
        self.step()
        del self.data[name]

    def stop(self, **_: Any) -> None:
        """Stop the container."""
        self.step()
        self.status = "exited"

    def start(self) -> None:
        """Start it as it was, on whole data alone."""
        self.step()
        assert self.data[REAL] in {"old", "new"}
        self.status = "running"

    def copy(self, source: str, target: str) -> None:
        """Copy in two steps, with nobody on either side."""
        assert self.status == "exited"
        self.data[target] = "half"
        self.step()
        self.data[target] = self.data[source]
        self.step()

    def remove_all(self, label: str) -> list[str]:
        """Remove what carries a scratch label."""
        gone = [
            name
            for name in self.data
            if self.labels.get(name, {}).get(LABEL_STACK) == label or name.startswith(f"{label}_")
        ]
        for name in gone:
            del self.data[name]
        return gone


def replace(host: Host, its: Workspace, keep: bool, well: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put scratch's data in place of the broken store's."""
    monkeypatch.setattr(run, "_verify", lambda *_: {} if well else {"redis": ["it does not answer"]})
    old = ReplacedData(None, {"redis": "its container exited"}, keep, ["redis"] if host.before == "exited" else [])
    load: Any = SimpleNamespace(scratch=SimpleNamespace(data=SCRATCH))
    client: Any = host
    run._replace(client, its, ["redis"], {"redis": load}, {"id": "set", "parts": {}}, old)


def kept(host: Host) -> list[str]:
    """Return what volumes that are to stay hold."""
    return [host.data[name] for name in host.data if "_before_restore_" in name]
