# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""New keys for gateways while clients ask all the time: nobody is refused, nothing restarts."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import docker
import pytest
import requests
from ready.common.labels import LABEL_STACK
from ready.docker.state import read_files, write_volume
from ready.secrets.vault import SecretStore
from ready.stack.resolved import PENDING

from tests.names import own
from tests.system.checks import check
from tests.system.conftest import Ready, own_stack, pause

NAME = own("sys-rotate")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack of ChromaDB and its gateway, with data, and of AI."""
    with own_stack(tmp_path_factory.mktemp("rotate"), NAME, ["chromadb", "gateway", "ai"]) as ready:
        ready.run("up")
        ready.stack.write()
        yield ready


#: service -> the settings that name its address and key, a path, and the requests of a second that its limit allows
CLIENTS = {
    "gateway": ("CHROMA_URL", "CHROMA_TOKEN", "/api/v2/heartbeat", 40),
    "ai": ("OPENAI_BASE_URL", "OPENAI_API_KEY", "/models", 6),
}


def key(ready: Ready, service: str = "gateway") -> str:
    """Return the key of a service's clients."""
    return str(ready.stack.settings(service)[CLIENTS[service][1]])


def ask(ready: Ready, its_key: str, service: str = "gateway", session: Any = requests) -> int:
    """Return the status of a request with this key."""
    its, (address, _, path, _) = ready.stack.settings(service), CLIENTS[service]
    headers = {"Authorization": f"Bearer {its_key}"}
    verify = its.get("CHROMA_CA_FILE", True)
    return int(session.get(its[address] + path, headers=headers, verify=verify, timeout=10).status_code)


@contextmanager
def asking(ready: Ready, service: str) -> Iterator[Counter[str]]:
    """Ask all the time, on one connection and on new ones, with the key of the beginning; give what was answered."""
    first, found, ended = key(ready, service), Counter[str](), threading.Event()
    pause = 2 / CLIENTS[service][3]

    def loop(kept: bool) -> None:
        session = requests.Session()
        while not ended.wait(pause):
            try:
                found[str(ask(ready, first, service, session if kept else requests))] += 1
            except requests.RequestException as error:
                found[str(error)] += 1

    threads = [threading.Thread(target=loop, args=(kept,)) for kept in (True, False)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def end(said: str, service: str) -> float:
    """Return when the old keys end, as a run has said it, in seconds since 1970."""
    found = re.search(rf"; {service} takes the old keys until (.{{19}}) UTC", " ".join(said.split()))
    assert found, said
    return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize("service", CLIENTS)
def test_rotation_refuses_nobody(stack: Ready, service: str) -> None:
    """The old key works on while the new one does already, in the same container, and that is no drift."""
    before, old = stack.stack.identities(), key(stack, service)
    with asking(stack, service) as found:
        began = time.time()
        said = stack.run("secrets", "rotate", "--service", service).text
        new = key(stack, service)
        assert new != old
        assert ask(stack, new, service) == 200
        time.sleep(1)
    assert set(found) == {"200"}, found
    assert found["200"] > 20
    assert began + 600 < end(said, service) < time.time() + 600
    assert stack.stack.identities() == before
    assert not check(stack, ["drift"]).failed
    assert ask(stack, old, service) == ask(stack, new, service) == 200
    stack.stack.check()


def test_a_rotation_that_is_finished_later(stack: Ready) -> None:
    """The overlap begins when the gateway takes the new key, not when it was saved."""
    old, its = key(stack), stack.stack
    store = SecretStore.open(its.secrets_file, its.key_file)
    store.rotate(NAME, {"gateway": its.resolved["services"]["gateway"]}, {})
    for entry in store.data["stacks"][NAME]["gateway"].values():
        entry["rotated"] = int(time.time()) - 86400
    store.save()
    new = key(stack)
    assert (ask(stack, old), ask(stack, new)) == (200, 401)
    stack.run("up")
    assert (ask(stack, old), ask(stack, new)) == (200, 200)
    assert stack.run("up").changed == 0


def test_an_overlap_that_is_taken_back(stack: Ready) -> None:
    """Whoever has lost a key ends it at once, without a restart. It stays so for the tests that follow."""
    before, old = stack.stack.identities(), key(stack)
    stack.set(gateway_key_overlap=0)
    stack.stack.variables["gateway_key_overlap"] = 0
    vars(stack.stack).pop("resolved", None)
    stack.run("secrets", "rotate", "--service", "gateway")
    assert ask(stack, old) == 401
    assert ask(stack, key(stack)) == 200
    assert stack.stack.identities() == before


def test_a_paused_gateway_takes_them(stack: Ready) -> None:
    """It was unpaused with the keys that it had read, and that was called done; the overlap is still none."""
    its = stack.stack
    store = SecretStore.open(its.secrets_file, its.key_file)
    old = key(stack)
    store.rotate(NAME, {"gateway": its.resolved["services"]["gateway"]}, {})
    pause(its.container("gateway"))
    stack.run("up")
    assert (ask(stack, old), ask(stack, key(stack))) == (401, 200)


def test_a_reload_that_was_killed(stack: Ready) -> None:
    """The mark of one is drift, and the next `up` reloads again."""
    container = stack.stack.container("gateway")
    before, files = stack.stack.identities(), read_files(container)
    write_volume(
        docker.from_env(),
        container.attrs["Image"],
        f"{NAME}_gateway_config",
        "99:99",
        {path: (mode, content) for path, mode, _, content in files} | {PENDING: (0o400, b"")},
        {LABEL_STACK: NAME},
    )
    assert "/run/ready" in stack.run("status").text
    said = stack.run("up").text
    assert f"let container {NAME}-gateway take them over, without a restart" in said
    assert stack.stack.identities() == before
    assert sorted(read_files(container)) == sorted(files)
    assert not check(stack, ["drift"]).failed
