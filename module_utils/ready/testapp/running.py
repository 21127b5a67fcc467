# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running an application's tests in a throwaway container beside a stack. Runs where Docker is."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..applications.job_settings import BELOW, JobSettings
from ..common.check_result import CheckResult
from ..docker import jobs
from ..docker.state import EngineError
from ..secrets.redaction import redacted
from .judging import judge
from .records import lines_of, suite

if TYPE_CHECKING:
    from docker import DockerClient

#: Where the copy of the source is, and the user that everything in the container belongs to.
SOURCE, USER = "app", 10003
#: Seconds that are left for looking at the stores, on top of those for the tests.
AROUND = 220.0
#: Characters of a secret that are not shown, wherever they come from.
FRAGMENT = 6


@dataclass(frozen=True)
class Request:
    """What is to be run.

    Attributes:
        stack: the stack's name, and that of its network.
        image: the image's name.
        source: the application's files as a tar below SOURCE.
        runner: the files of the package `ready_testapp`, by name.
        settings: those of all services, with passwords.
        command: what runs the tests.
        tests: where they are, "" for where pytest looks.
        timeout: seconds for a test.
        deadline: seconds for all of them.
        memory: bytes.
        stores: the services that are compared.
        about: `application` and `source` of the evidence.
    """

    stack: str
    network: str
    image: str
    source: bytes
    runner: Mapping[str, str]
    settings: JobSettings
    command: Sequence[str]
    tests: str
    timeout: float
    deadline: float
    memory: int
    stores: Sequence[str]
    about: Mapping[str, Any]


def job(request: Request) -> jobs.Job:
    """Return the job; nothing secret is in its command or environment."""
    root = f"{jobs.PLACE}/{SOURCE}"
    what = {
        "settings": dict(request.settings.values),
        "command": list(request.command),
        "root": root,
        "timeout": request.timeout,
        "deadline": request.deadline,
    }
    files: dict[str, tuple[int, bytes | None]] = {"job.json": (0o400, json.dumps(what).encode())}
    files |= {f"lib/ready_testapp/{name}": (0o444, text.encode()) for name, text in request.runner.items()}
    user = f"{USER}:{USER}"
    return jobs.Job(
        kind=jobs.TEST_APP,
        image=request.image,
        command=["python3", "-m", "ready_testapp", f"{jobs.PLACE}/job.json", jobs.OUT],
        deadline=request.deadline + AROUND,
        network=request.network,
        files=files,
        archives={"/": jobs.tar(request.settings.files, "0:0", BELOW), jobs.PLACE: request.source},
        results=["result.json", "events.jsonl"],
        user=user,
        environment={"PYTHONPATH": f"{jobs.PLACE}/lib"},
        workdir=root,
        memory=request.memory,
    )


def run(client: DockerClient, request: Request, host: str) -> tuple[CheckResult, str]:
    """Run the tests; return what that means, and the end of their output. Raises EngineError."""
    outcome = jobs.run(client, request.stack, job(request))
    parts = fragments_of(request.settings.secrets)
    result = _result(outcome.results.get("result.json", b""))
    if result is None:
        output = " ".join(clean(outcome.output, parts).split())[-400:]
        raise EngineError(
            f"{host}: found no result of what runs the tests (exit code {outcome.exit_code}: {output}), expected one. "
            "Next: ./ready test-app again; if it stays so, report it"
        )
    printed: list[str] = clean(result.get("output", []), parts)
    events = lines_of(outcome.results.get("events.jsonl", b""))
    ran = {
        **request.about,
        "result": result,
        "stores": list(request.stores),
        "deadline": request.deadline,
        "outcome": {
            "exit_code": outcome.exit_code,
            "timed_out": outcome.timed_out,
            "oom_killed": outcome.oom_killed,
            "seconds": outcome.seconds,
        },
    }
    found = suite(events, result.get("files", {}), request.tests, _last(printed), result.get("functions", {}))
    judged = judge(ran, found, host)
    judged.next += [f"{name}: not in the settings: {why}" for name, why in request.settings.out_of_reach.items()]
    judged.results["faults"] += [f"{jobs.OUT}/{fault}" for fault in outcome.faults]
    shown = CheckResult(
        judged.evidence, judged.verdict, *(clean(its, parts) for its in (judged.results, judged.rows, judged.next))
    )
    return shown, "\n".join(printed)


def clean(value: Any, fragments: frozenset[str]) -> Any:
    """Return a value of JSON without the secrets that are held, and without parts of them."""
    if isinstance(value, dict):
        return {key: clean(item, fragments) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item, fragments) for item in value]
    return without(redacted(value), fragments) if isinstance(value, str) else value


def fragments_of(secrets: Iterable[str]) -> frozenset[str]:
    """Return all parts of secrets that are as long as FRAGMENT."""
    return frozenset(
        form[at : at + FRAGMENT]
        for secret in secrets
        for form in (secret, quote(secret, safe=""))
        for at in range(len(form) - FRAGMENT + 1)
    )


def without(text: str, fragments: frozenset[str]) -> str:
    """Return a text without parts of secrets: pytest shortens what it compares, in the middle of anything."""
    hit = [False] * len(text)
    for at in range(len(text) - FRAGMENT + 1):
        if text[at : at + FRAGMENT] in fragments:
            hit[at : at + FRAGMENT] = [True] * FRAGMENT
    return "".join(
        "***" if hidden else "".join(letter for _, letter in run)
        for hidden, run in itertools.groupby(zip(hit, text, strict=True), key=lambda pair: pair[0])
    )


def _result(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _last(lines: Sequence[str]) -> str:
    """Return the line of an output that says why pytest ended before it collected."""
    shown = [line for line in lines if line.startswith(("E  ", "ERROR", "ImportError", "usage:", "pytest: error"))]
    return " ".join((shown or [line for line in lines if line.strip()] or [""])[-1].split())[:200]
