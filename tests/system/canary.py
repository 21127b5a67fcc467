"""Looking for passwords in everything that a run shows: its output, every process meanwhile, Docker, evidence."""

from __future__ import annotations

import json
import os
import threading
from types import TracebackType

import docker
from ready.secrets.search import Search

from tests.system.conftest import Ready, Result

#: Seconds between two looks at all processes; what lives shorter may be missed.
PAUSE = 0.05
LOG = "ansible.log"


def content_of(pid: str, name: str) -> bytes:
    """Return a file of a process; there are hundreds at each look, so without pathlib, which takes thrice the time."""
    with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
        return file.read()


class Processes:
    """Collects arguments and environments of all processes while it is open."""

    def __init__(self) -> None:
        self.seen: dict[bytes, str] = {}
        self.looks = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        known: set[tuple[str, bytes]] = set()
        while not self._end.wait(PAUSE):
            self.looks += 1
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    arguments = content_of(pid, "cmdline")
                    # The environment stays what it was at exec, and exec changes the arguments.
                    if (key := (pid, arguments)) in known:
                        continue
                    known.add(key)
                    for content in (arguments, content_of(pid, "environ")):
                        self.seen.setdefault(content, f"process {arguments[:80]!r}")
                except OSError:  # it has just ended
                    continue

    def __enter__(self) -> Processes:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._end.set()
        self._thread.join()


def passwords(ready: Ready) -> dict[str, dict[str, str]]:
    """Return service -> account -> password of everything that the stack has now."""
    return {name: found for name in ready.stack.resolved["services"] if (found := ready.stack.passwords(name))}


def shown(ready: Ready, result: Result, processes: Processes, others: Search | None = None) -> list[str]:
    """Return a line per password that anybody could have seen, whose and where. `others` looks for more of them."""
    client, lines = docker.from_env(), []
    places: dict[str, str | bytes] = {"standard output": result.out, "standard error": result.err}
    if (log := ready.directory / LOG).exists():
        places["Ansible's log"] = log.read_bytes()
    for container in client.containers.list(all=True, filters={"label": f"io.ready.stack={ready.stack.name}"}):
        places[f"docker inspect {container.name}"] = json.dumps(container.attrs, ensure_ascii=False)
        places[f"docker logs {container.name}"] = container.logs()
    for search in filter(None, [Search(ready.stack.resolved, passwords(ready)), others]):
        for place, content in places.items():
            lines += search.text(content, place)
        for content, place in processes.seen.items():
            lines += search.text(content, place)
        lines += search.files([ready.directory / "evidence", ready.inventory])[0]
    return lines


def watched(ready: Ready, *words: str, code: int = 0) -> Result:
    """Run a verb with all processes watched, and assert that no password was shown anywhere, nor lies about."""
    log = ready.directory / LOG
    ready.environment["ANSIBLE_LOG_PATH"] = str(log)
    with Processes() as processes:
        result = ready.run(*words, code=code)
    del ready.environment["ANSIBLE_LOG_PATH"]
    assert processes.looks > 20
    assert any(b"ansible-playbook" in content for content in processes.seen), "the run itself was not seen"
    assert passwords(ready), "there is nothing to look for"
    assert "TASK [" in log.read_text(), "nothing was logged"
    assert shown(ready, result, processes) == []
    return result
