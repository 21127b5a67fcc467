# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Docker is asked about usage, with a client that answers as Docker has been seen to."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from docker.errors import APIError
from ready.docker.usage import read_details, read_memory, read_seconds


def test_another_asks_for_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs at once: the second one waits for the first one's answer."""
    response = requests.Response()
    response.status_code = 500
    answers: list[Any] = [
        APIError("500", response=response, explanation="a disk usage operation is already running"),
        {"Volumes": [{"Name": "s_data", "UsageData": {"Size": 7}}, {"Name": "new", "UsageData": {"Size": -1}}]},
    ]

    def df() -> dict[str, Any]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return cast("dict[str, Any]", answer)

    monkeypatch.setattr("time.sleep", lambda _: None)
    client: Any = SimpleNamespace(df=df)
    assert read_details(client, []) == {"memory": {}, "volumes": {"s_data": 7}}


def test_all_are_asked_at_once() -> None:
    """Docker keeps whoever asks for a container's statistics waiting for a second: for all together, not each."""
    meeting = threading.Barrier(5, timeout=5)

    def stats(name: str, **_: Any) -> dict[str, Any]:
        meeting.wait()
        return {"memory_stats": {"usage": 100 + int(name), "stats": {"inactive_file": 10}}}

    def df() -> dict[str, Any]:
        meeting.wait()
        return {"Volumes": None}

    def get(name: str) -> Any:
        return SimpleNamespace(id=name, status="exited" if name == "4" else "running")

    client: Any = SimpleNamespace(df=df, api=SimpleNamespace(stats=stats), containers=SimpleNamespace(get=get))
    services = [{"name": f"s{number}", "container": str(number)} for number in range(5)]
    memory = {"s0": 90, "s1": 91, "s2": 92, "s3": 93}
    assert read_details(client, services) == {"memory": memory, "volumes": {}}


def measured(top: Any, stats: dict[str, Any]) -> tuple[Any, Any]:
    """Return Docker's client, and the name of a container of which it says this."""

    def answer(ps_args: str) -> Any:
        if isinstance(top, Exception):
            raise top
        return {"Titles": ["PID", "RSS"], "Processes": top}

    api = SimpleNamespace(stats=lambda name, **_: {"memory_stats": stats})
    container = SimpleNamespace(id="c", top=answer, attrs={"HostConfig": {"Memory": 2**30}})
    return SimpleNamespace(api=api, containers=SimpleNamespace(get=lambda name: container)), "s-chromadb"


NO_PS = APIError("500", explanation='exec: "ps": executable file not found in $PATH')


@pytest.mark.parametrize(
    ("top", "stats", "used"),
    [
        ([["7", "1344"], ["9", "1000"]], {}, 2344 * 1024),
        ([["7", "1344"], ["9", "12m"]], {"stats": {"total_rss": 7, "anon": 9}}, 7),  # BusyBox; control groups v1
        (NO_PS, {"stats": {"anon": 9}}, 9),  # v2
    ],
)
def test_memory_is_that_of_all_processes(top: Any, stats: dict[str, Any], used: int) -> None:
    """In bytes, beside the container's limit."""
    assert read_memory(*measured(top, stats)) == (used, 2**30)


def test_memory_of_what_does_not_run() -> None:
    """Nothing is known, which is not nothing in use."""
    assert read_memory(*measured(NO_PS, {})) is None


@pytest.mark.parametrize(
    ("stats", "seconds"),
    [
        ({"cpu_stats": {"cpu_usage": {"total_usage": 594_584_445}}}, 0.594584445),
        ({"cpu_stats": {"cpu_usage": {"total_usage": 0}}}, None),  # it does not run
        ({}, None),
        (NO_PS, None),
    ],
)
def test_processor_time_of_a_container(stats: Any, seconds: float | None) -> None:
    """Docker counts nanoseconds."""

    def answer(_: str, **__: Any) -> Any:
        if isinstance(stats, Exception):
            raise stats
        return stats

    client: Any = SimpleNamespace(api=SimpleNamespace(stats=answer))
    assert read_seconds(client, "s-redis") == seconds
