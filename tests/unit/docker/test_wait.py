# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting for services, with containers that only answer what they are told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest
import requests
from docker.errors import APIError
from ready.docker import execute, wait

from tests.names import ROOT

SERVICE = {"container": "s-redis", "health": {"test": ["CMD", "true"], "timeout": 1, "deadline": 60}}


class Crashing:
    """A container that Docker starts again and again: it runs whenever it is looked at, and never when it is asked."""

    status = "running"

    def __init__(self) -> None:
        self.attrs: dict[str, Any] = {"RestartCount": 0, "State": {"ExitCode": 1, "OOMKilled": True}}

    def reload(self) -> None:
        """Say that it was started once more."""
        self.attrs["RestartCount"] += 1

    def logs(self, tail: int) -> bytes:
        """Return why it ended."""
        return b"argument must be 'yes' or 'no'\n"


class Running(Crashing):
    """A container that goes on."""

    def reload(self) -> None:
        """Say nothing new."""


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a JSON document."""
    if isinstance(value, dict):
        yield value
    for its in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(its)


def refuse(*_: Any) -> Any:
    """Refuse to run anything there, as Docker does."""
    response = requests.Response()
    response.status_code = 409
    raise APIError("Conflict", response=response)


def test_crash_between_look_and_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that ends just before its health test is asked is waited for on, and told with its log."""
    container = Crashing()
    client = SimpleNamespace(containers=SimpleNamespace(get=lambda _: container), close=lambda: None)
    monkeypatch.setattr(wait, "connect", lambda **_: client)
    monkeypatch.setattr("ready.docker.execute.run", refuse)
    monkeypatch.setattr("time.sleep", lambda _: None)
    ticks = count()
    outcome = wait.wait_for_all({"redis": SERVICE}, clock=lambda: float(next(ticks)))["redis"]
    assert outcome["logs"] == ["argument must be 'yes' or 'no'"]
    assert not outcome["healthy"]
    assert (outcome["restarts"], outcome["oom_killed"]) == (wait.MAX_RESTARTS, True)
    assert outcome["seconds"] < 30


def test_a_question_without_an_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker may lose a connection, or not tell how a health test ended: that is no verdict on the service."""
    answers: list[Any] = [ConnectionError("lost"), execute.Ran(0, b"", b"")]

    def ask(*_: Any) -> execute.Ran:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return cast("execute.Ran", answer)

    client = SimpleNamespace(containers=SimpleNamespace(get=lambda _: Running()), close=lambda: None)
    monkeypatch.setattr(wait, "connect", lambda **_: client)
    monkeypatch.setattr("ready.docker.execute.run", ask)
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert wait.wait_for_all({"redis": SERVICE})["redis"]["healthy"]


@pytest.mark.parametrize(
    ("health", "accounts", "another"),
    [
        ("password authentication failed for user ready_monitor", "", False),
        ("Neo.ClientError.Security.Unauthorized", "connect: Connection refused", False),
        ("", "Neo.ClientError.Security.Unauthorized", True),
    ],
    ids=["the server went away between", "the port is closed", "refused"],
)
def test_whose_answer_says_that_a_password_is_another(
    monkeypatch: pytest.MonkeyPatch, health: str, accounts: str, another: bool
) -> None:
    """The health test asks as the monitor, whose password is just being set: its answer says nothing of the data."""
    service = SERVICE | {"reconcile": ["reconcile"]}

    def ask(_: Any, command: list[str]) -> execute.Ran:
        return execute.Ran(1, (accounts if command == ["reconcile"] else health).encode(), b"")

    client = SimpleNamespace(containers=SimpleNamespace(get=lambda _: Running()), close=lambda: None)
    monkeypatch.setattr(wait, "connect", lambda **_: client)
    monkeypatch.setattr("ready.docker.execute.run", ask)
    monkeypatch.setattr("time.sleep", lambda _: None)
    ticks = count(step=5)
    outcome = wait.wait_for_all({"redis": service}, clock=lambda: float(next(ticks)))["redis"]
    assert outcome["wrong_password"] is another


def test_what_accounts_refuse_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An extension that the image does not have will not come by waiting; the words are the server's."""
    said = (
        b"psql:/run/ready/accounts.sql:11: ERROR:  refused: postgresql_databases: found the extensions x\nCONTEXT:  y"
    )

    def ask(_: Any, command: list[str]) -> execute.Ran:
        return execute.Ran(3 if command == ["reconcile"] else 1, said if command == ["reconcile"] else b"", b"")

    client = SimpleNamespace(containers=SimpleNamespace(get=lambda _: Running()), close=lambda: None)
    monkeypatch.setattr(wait, "connect", lambda **_: client)
    monkeypatch.setattr("ready.docker.execute.run", ask)
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it was waited for"))
    outcome = wait.wait_for_all({"redis": SERVICE | {"reconcile": ["reconcile"]}})["redis"]
    assert (outcome["healthy"], outcome["state"], outcome["refused"]) == (False, "unhealthy", True)
    assert outcome["detail"] == "postgresql_databases: found the extensions x"


def test_every_state_may_be_evidence() -> None:
    """Evidence of a state that its schema does not know is not written, and the fault that it holds is not shown."""
    schema = json.loads((ROOT / "schemas/evidence/health.schema.json").read_text(encoding="utf-8"))
    states = [
        its["properties"]["state"]["enum"]
        for its in walk(schema)
        if "enum" in its.get("properties", {}).get("state", {}) and "detail" in its["properties"]
    ]
    assert states
    assert all(set(its) - {"off", None} == set(get_args(wait.State)) for its in states)


def test_accounts_that_were_set_are_no_other_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has just set the accounts knew the password: a health test that is refused then is red, and no more."""
    service = SERVICE | {"reconcile": ["reconcile"]}

    def ask(_: Any, command: list[str]) -> execute.Ran:
        return execute.Ran(0, b"", b"") if command == ["reconcile"] else execute.Ran(1, b"NOAUTH", b"")

    client = SimpleNamespace(containers=SimpleNamespace(get=lambda _: Running()), close=lambda: None)
    monkeypatch.setattr(wait, "connect", lambda **_: client)
    monkeypatch.setattr("ready.docker.execute.run", ask)
    monkeypatch.setattr("time.sleep", lambda _: None)
    ticks = count(step=5)
    outcome = wait.wait_for_all({"redis": service}, ["redis"], clock=lambda: float(next(ticks)))["redis"]
    assert (outcome["reconciled"], outcome["wrong_password"]) == (True, False)
