# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is in the volume, and what is said, when a running container does not take its files over."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ready.docker import execute
from ready.docker import reload as reloading
from ready.docker.state import EngineError
from ready.stack.resolved import PENDING

OLD, NEW = {"keys.map": (0o400, b"old")}, {"keys.map": (0o400, b"new")}
SERVICE = {
    "name": "gateway",
    "container": "ready-gateway",
    "config_volume": "ready_gateway_config",
    "image": {"user": "99:99"},
    "reload": {"command": ["reload"]},
}


def reload(
    monkeypatch: pytest.MonkeyPatch, written: list[dict[str, Any]], *answers: tuple[int, bytes] | OSError
) -> None:
    """Reload with these answers of the command, one after another; note in `written` what was written."""
    left = list(answers)

    def run(_container: object, command: list[str]) -> SimpleNamespace:
        assert command == ["reload"]
        answer = left.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return SimpleNamespace(exit_code=answer[0], output=answer[1])

    def write(*arguments: Any) -> dict[str, list[str]]:
        written.append(dict(arguments[4]))
        return {"added": [PENDING], "changed": ["keys.map"], "removed": []}

    monkeypatch.setattr(execute, "run", run)
    monkeypatch.setattr(reloading, "write_volume", write)
    monkeypatch.setattr(reloading, "sdk_errors", lambda: (OSError,))
    monkeypatch.setattr(
        reloading, "read_files", lambda _: [(path, mode, "99:99", its) for path, (mode, its) in OLD.items()]
    )
    client: Any = SimpleNamespace(containers=SimpleNamespace(get=lambda _: None))
    try:
        found = reloading.reload_files(client, "ready", SERVICE, "sha256:1", NEW)
        assert found == {"added": [], "changed": ["keys.map"], "removed": []}
    finally:
        assert left == [], "the command was not run as often as expected"


def test_what_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark is there while it is under way."""
    written: list[dict[str, Any]] = []
    reload(monkeypatch, written, (0, b""))
    assert written == [{**NEW, PENDING: (0o400, b"")}, NEW]


def test_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of before are read again before it is said that it runs with them: it may have given up too early."""
    written: list[dict[str, Any]] = []
    with pytest.raises(
        EngineError, match=r"new files \(still worker 7\); .* It runs with those of before, and they are"
    ):
        reload(monkeypatch, written, (1, b"still worker 7\n"), (0, b""))
    assert written[-1] == OLD


@pytest.mark.parametrize("last", [(1, b"still worker 7"), OSError("still worker 7")])
def test_when_nobody_knows(monkeypatch: pytest.MonkeyPatch, last: tuple[int, bytes] | OSError) -> None:
    """Then it says so, and the next run reloads once more."""
    written: list[dict[str, Any]] = []
    with pytest.raises(
        EngineError, match=r"which ones it runs with is not known \(still worker 7\)\. Next: "
    ) as caught:
        reload(monkeypatch, written, (1, b"no worker"), last)
    assert "It runs with" not in str(caught.value)
    assert written[-1] == {**OLD, PENDING: (0o400, b"")}
