# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run a command in a throwaway container beside a stack, with a deadline. Runs where Docker is.

A job has no rights, limits for everything, and an end: by itself at its deadline, should the one who waits for it be
killed. Files go in before it starts and come out after it ended, through Docker's archive calls: secrets are never in
argv or in an environment. What an interrupted run left is found by its labels.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_JOB, LABEL_STACK
from .create import create
from .spec import NO_RIGHTS, ContainerSpec
from .state import EngineError, not_found, reason, sdk_errors
from .tar_stream import Stream

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

#: Where a job finds its files, and where it leaves its results.
PLACE, OUT = "/run/ready", "/run/ready/out"
#: The kinds of jobs: values of the label.
FRAMEWORKS, TEST_APP = "frameworks", "test_app"
#: Seconds between SIGTERM at the deadline and SIGKILL, and after which the one who waits kills the container itself.
GRACE, _LATE = 10, 15.0
#: Seconds between two looks.
_LOOK = 0.25
#: Bytes of output and of results that are read at most; lines of output that Docker is asked for.
OUTPUT_BYTES, RESULT_BYTES, _LINES = 200_000, 16 * 2**20, 5000
#: What `timeout` exits with when it ended the command, by SIGTERM and by SIGKILL.
_ENDED = (124, 137)

#: Path below a directory -> (mode, content); without content it is a directory.
Files = Mapping[str, tuple[int, bytes | None]]


@dataclass(frozen=True)
class Job:
    """What is to run.

    Attributes:
        kind: FRAMEWORKS or TEST_APP; one of a kind runs at a time in a stack.
        image: id or name of an image with `timeout`.
        command: what to run, and its arguments; nothing secret.
        deadline: seconds after which it gets SIGTERM.
        network: name of the stack's network, `host` where a service listens on the host's loopback, `none`.
        files: what is put below `PLACE`: settings with secrets as mode 0400. `PLACE` and `out/` are made.
        archives: directory of the image -> tar that is unpacked there; its members' owners stay, see `tar`.
        results: paths below `OUT` that are read back.
        user: "uid:gid" of the process and of its files.
        environment: nothing secret.
        workdir: where the command starts; the image's own without it.
        memory: limit in bytes; there is no swap beside it.
        cpus: processors that it may use.
        pids: processes and threads.
    """

    kind: str
    image: str
    command: Sequence[str]
    deadline: float
    network: str = "none"
    files: Files = field(default_factory=dict)
    archives: Mapping[str, bytes] = field(default_factory=dict)
    results: Sequence[str] = ()
    user: str = "10003:10003"
    environment: Mapping[str, str] = field(default_factory=dict)
    workdir: str | None = None
    memory: int = 2 * 2**30
    cpus: float = 2.0
    pids: int = 512


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        exit_code: of the command.
        timed_out: it was still running at its deadline.
        oom_killed: a process of it was killed for the memory limit.
        output: the end of standard output and errors, in the order in which they came. It may hold anything.
        results: path below `OUT` -> content, of those that are there.
        faults: why a result could not be read.
        seconds: from its start to its end.
    """

    exit_code: int
    timed_out: bool
    oom_killed: bool
    output: str
    results: Mapping[str, bytes]
    faults: Sequence[str]
    seconds: float


def tar(files: Files, user: str, below: str = "") -> bytes:
    """Return a tar of files and directories, all of the user "uid:gid"; the directories between are made (0755).

    Args:
        files: the content.
        user: the owner.
        below: a path ending in / that goes before every path; its directories are not created or changed.
    """
    uid, _, gid = user.partition(":")
    between = {"/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/") + 1)}
    every: dict[str, tuple[int, bytes | None]] = dict.fromkeys(between, (0o755, None)) | dict(files)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, (mode, content) in sorted(every.items()):
            info = tarfile.TarInfo(f"{below}{path}")
            info.mode, info.uid, info.gid = mode, int(uid), int(gid)
            if content is None:
                info.type = tarfile.DIRTYPE
            info.size = len(content or b"")
            archive.addfile(info, io.BytesIO(content or b""))
    return buffer.getvalue()


def remove_leftovers(client: DockerClient, stack: str, kind: str | None = None) -> list[str]:
    """Remove the containers of a stack's jobs, of one kind or of all, and return their names."""
    wanted = [f"{LABEL_STACK}={stack}", f"{LABEL_JOB}={kind}" if kind else LABEL_JOB]
    removed = []
    for container in client.containers.list(all=True, filters={"label": wanted}, ignore_removed=True):
        try:
            container.remove(v=True, force=True)
        except not_found():
            continue
        removed.append(str(container.name))
    return removed


def run(client: DockerClient, stack: str, job: Job) -> Outcome:
    """Run a job to its end and remove its container. Raises EngineError when it can't be run at all.

    Call it while this run has the stack's lock: what another run left of this kind is removed first.
    """
    try:
        remove_leftovers(client, stack, job.kind)
        container = create(client, _spec(stack, job))
    except sdk_errors() as error:
        raise EngineError(f"the container of {job.kind} can't be made: {reason(error)}") from error
    try:
        return _run(container, job)
    except sdk_errors() as error:
        raise EngineError(f"the container {container.name} can't be run: {reason(error)}") from error
    finally:
        _remove(container)


def _command(job: Job) -> list[str]:
    return ["timeout", "--signal=TERM", f"--kill-after={GRACE}", f"{job.deadline:g}", *job.command]


def _spec(stack: str, job: Job) -> ContainerSpec:
    return ContainerSpec(
        name=f"{stack}-{job.kind.replace('_', '-')}",
        image=job.image,
        command=_command(job),
        user=job.user,
        workdir=job.workdir,
        env=job.environment,
        client_proxy=True,
        networks=[job.network],
        labels={LABEL_STACK: stack, LABEL_JOB: job.kind},
        memory=job.memory,
        memory_swap=job.memory,
        cpus=job.cpus,
        pids=job.pids,
        restart="no",
        log={"driver": "json-file", "max-size": "4m", "max-file": "2"},
        **NO_RIGHTS,
    )


def _run(container: Container, job: Job) -> Outcome:
    for directory, content in job.archives.items():
        container.put_archive(directory, content)
    below = {".": (0o755, None), "out": (0o700, None), **job.files}
    container.put_archive("/", tar(below, job.user, f"{PLACE[1:]}/"))
    began = time.monotonic()
    container.start()
    state = _await_end(container, began + job.deadline + GRACE + _LATE)
    seconds = time.monotonic() - began
    results, faults = _results(container, job.results)
    late = seconds >= job.deadline
    return Outcome(
        exit_code=int(state["ExitCode"]),
        timed_out=late and int(state["ExitCode"]) in _ENDED,
        oom_killed=bool(state.get("OOMKilled")),
        output=container.logs(tail=_LINES)[-OUTPUT_BYTES:].decode(errors="replace"),
        results=results,
        faults=faults,
        seconds=round(seconds, 3),
    )


def _await_end(container: Container, ends: float) -> Mapping[str, Any]:
    """Return the state of a container that has ended; it is killed when it has not in time."""
    while True:
        container.reload()
        state: Mapping[str, Any] = container.attrs["State"]
        if state["Status"] in ("exited", "dead"):
            return state
        if time.monotonic() > ends:
            container.kill()
            ends += _LATE
        time.sleep(_LOOK)


def _results(container: Container, paths: Sequence[str]) -> tuple[dict[str, bytes], list[str]]:
    """Return path -> content of what a job left, and why what is not among it could not be read."""
    found: dict[str, bytes] = {}
    faults = []
    for path in paths:
        try:
            chunks, stat = container.get_archive(f"{OUT}/{path}")
        except not_found():
            faults.append(f"{path}: it was not written")
            continue
        if (size := (stat or {}).get("size", 0)) > RESULT_BYTES:
            faults.append(f"{path}: found {size} bytes, expected at most {RESULT_BYTES}")
            continue
        with tarfile.open(fileobj=Stream(chunks), mode="r|") as archive:
            for member in archive:
                handle = archive.extractfile(member) if member.isfile() else None
                if handle:
                    found[path] = handle.read()
        if path not in found:
            faults.append(f"{path}: it is no regular file")
    return found, faults


def _remove(container: Container) -> None:
    try:
        container.remove(v=True, force=True)
    except not_found():
        pass
