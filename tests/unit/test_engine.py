# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Docker is asked, with a client that answers as Docker has been seen to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from docker.errors import APIError
from ready.engine import read_details, read_memory


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


def test_memory_is_that_of_all_processes() -> None:
    """In bytes, beside the container's limit; where there is no ps, or nothing runs, nothing is known."""
    top: Any = {"Titles": ["PID", "RSS"], "Processes": [["7", "1344"], ["9", "1000"]]}
    container: Any = SimpleNamespace(top=lambda ps_args: top, attrs={"HostConfig": {"Memory": 2**30}})
    assert read_memory(container) == (2344 * 1024, 2**30)

    def refused(ps_args: str) -> Any:
        raise APIError("500", explanation='exec: "ps": executable file not found in $PATH')

    container.top = refused
    assert read_memory(container) is None
