"""The launcher as a user runs it, on stacks of the tests' own: ports, inventory, vault key and evidence."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from docker.errors import APIError

from tests.cleanup import remove
from tests.names import own
from tests.stack import PORTS, Stack
from tools.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
#: Characters of an output's end that are shown with a failure.
SHOWN = 6000
#: A user's environment with a proxy that does not answer; services on this host are asked without it.
DEAD_PROXY = {
    spelt: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "all_proxy") for spelt in (name, name.upper())
}
#: Where the stacks here have the drivers of their probes: made once, as by all stacks of a host.
PROBES = Path(os.environ.get("READY_TEST_PROBES", "/opt/ready/probes"))
#: See the files.
QUICK: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "quick.yml").read_text())
PATIENT: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "patient.yml").read_text())


@dataclass
class Result:
    """What a run of the launcher printed and returned."""

    code: int
    out: str = field(repr=False)  # `ended` has shown it
    err: str = field(repr=False)

    @property
    def text(self) -> str:
        """Everything that was printed, on one line each word, so that wrapping does not matter."""
        return " ".join((self.out + " " + self.err).split())

    @property
    def changed(self) -> int:
        """How many tasks changed something, from the recap."""
        found = re.findall(r"changed=(\d+)", self.out + self.err)
        assert found, self.out + self.err
        return sum(map(int, found))

    @property
    def tasks(self) -> int:
        """How many tasks ran or were skipped, from the recap."""
        found = re.search(r"ok=(\d+).*?skipped=(\d+)", self.out + self.err, re.DOTALL)
        assert found, self.out + self.err
        return int(found[1]) + int(found[2])


@dataclass
class Ready:
    """An inventory and the launcher."""

    directory: Path
    stack: Stack
    environment: dict[str, str] = field(default_factory=dict)
    checkout: Path = ROOT
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def inventory(self) -> Path:
        """The inventory's directory."""
        return self.directory / "inventory"

    def set(self, **variables: Any) -> bool:
        """Set inventory variables; None takes one back. Return whether that changed any."""
        path = self.inventory / "group_vars" / "all" / "test.yml"
        before = yaml.safe_load(path.read_text()) if path.exists() else {}
        values = {key: value for key, value in {**before, **variables}.items() if value is not None}
        path.write_text(yaml.safe_dump(values))
        return bool(values != before)

    def popen(self, *words: str) -> subprocess.Popen[str]:
        """Start the launcher in a separate process group."""
        verb = words[: next((i for i, word in enumerate(words) if word.startswith("-")), len(words))]
        command = [str(self.checkout / "ready"), *verb, "-i", str(self.inventory), *words[len(verb) :]]
        environment = os.environ | {"READY_VENV": os.environ.get("READY_VENV", str(ROOT / ".venv"))} | self.environment
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment,
            start_new_session=True,
            cwd=self.checkout,
        )
        self.started.append(process)
        return process

    def run(self, *words: str, code: int | None = 0) -> Result:
        """Run a verb to its end, asserting its exit code."""
        result = ended(self.popen(*words))
        if code is not None:
            assert result.code == code, words
        return result


def ended(process: subprocess.Popen[str], seconds: float = 900) -> Result:
    """Wait for a run's end. pytest shows what is printed here with whatever then fails in the test.

    A run that takes too long is killed, and fails as one that did not end.
    """
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    print(f"{process.args!r}: {process.returncode}\n{out[-SHOWN:]}\n{err[-SHOWN:]}")
    assert process.returncode != -signal.SIGKILL, f"killed after {seconds:g} s"
    return Result(process.returncode, out, err)


def make(directory: Path, name: str, services: list[str], more: dict[str, Any] = QUICK) -> Ready:
    """Return a launcher on a new inventory, made by `./ready init`."""
    subprocess.run([ROOT / "ready", "init", directory], check=True, capture_output=True)
    ports: dict[str, Any] = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    variables = ports | {"ready_services": services, "stack_name": name} | more
    key = directory / "vault-key"
    secrets = directory / "inventory" / "host_vars" / "localhost" / "ready_secrets.vault"
    ready = Ready(directory, Stack(name, secrets, key, variables), {"READY_VAULT_KEY_FILE": str(key)})
    ready.set(**variables)
    if probes := os.environ.get("READY_TEST_PROBES"):  # several checkouts on one machine: each with drivers of its own
        ready.set(probes_directory=probes)
    return ready


def pause(container: Any, seconds: float = 30) -> None:
    """Pause a container; the kernel can't freeze it at the moment in which it starts a process."""
    ends = time.monotonic() + seconds
    while True:
        try:
            container.pause()
        except APIError as error:
            if "unable to freeze" not in str(error) or time.monotonic() > ends:
                raise
            time.sleep(0.2)
            continue
        return


@contextmanager
def own_stack(directory: Path, name: str, services: list[str], more: dict[str, Any] = QUICK) -> Iterator[Ready]:
    """Give a launcher on a new inventory, with nothing of the stack on the host before and after."""
    remove(name)
    ready = None
    try:
        ready = make(directory, name, services, more)
        yield ready
    finally:
        for process in ready.started if ready else ():
            if process.poll() is None:  # of a test that failed
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        remove(name)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Ready]:
    """A stack of Redis alone, the quickest, for one test."""
    name = own(f"sys-{tmp_path.name.replace('test_', '')[:20].rstrip('-_').lower()}")
    with own_stack(tmp_path, name, ["redis"]) as ready:
        yield ready
    shutil.rmtree(tmp_path, ignore_errors=True)
