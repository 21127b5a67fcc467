"""What asks the services without Ansible, and for applications: command line, connector, watching, installation."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ready.cli import wheel as package
from ready.connector import ConnectorError, ServiceConnector
from ready.host import installed

from tests.names import own
from tests.system.conftest import PROBES, ROOT, Ready, own_stack, pause
from tests.system.test_check import everything

NAME = own("sys-probe")
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]
CLOSED = "127.0.0.1:1"
NOWHERE = "nowhere.invalid"


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack that is up, with user data; its `up` has seen to the environment of the probes."""
    with own_stack(tmp_path_factory.mktemp("probe"), NAME, SERVICES) as ready:
        ready.run("up")
        ready.stack.await_docker_health()
        ready.stack.write()
        secrets = ready.run("env", "--secrets").out
        (ready.directory / ".env").write_text(secrets)
        (ready.directory / ".env").chmod(0o600)
        yield ready


def settings(ready: Ready) -> dict[str, str]:
    """Return what an application would have in its environment."""
    return dict(line.split("=", 1) for line in (ready.directory / ".env").read_text().splitlines())


def passwords(ready: Ready) -> set[str]:
    """Return every password of the stack."""
    return {password for name in SERVICES for password in ready.stack.passwords(name).values()}


def command() -> list[str]:
    """Return how the installed command line is called."""
    return [str(PROBES / "bin" / "python"), "-m", "ready.probe"]


def probe(ready: Ready, *words: str, code: int = 0, environment: Mapping[str, str] | None = None) -> str:
    """Run the installed command line from a directory that has nothing of ours; return what it printed."""
    done = subprocess.run(
        [*command(), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": os.environ["PATH"], **(environment or {})},
        timeout=600,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert not any(password in done.stdout + done.stderr for password in passwords(ready))
    return done.stdout


def sources(ready: Ready) -> dict[str, list[str]]:
    """Return the options by which the command line finds the services: an application's way, and the host's."""
    return {
        "env-file": ["--env-file", str(ready.directory / ".env")],
        "stack": ["--stack", f"/opt/ready/stacks/{NAME}.json"],
    }


def test_the_description_has_no_secret(probed: Ready) -> None:
    """What the probes know of the stack on its host."""
    path = Path("/opt/ready/stacks") / f"{NAME}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not any(password in path.read_text() for password in passwords(probed))


@pytest.mark.parametrize("source", ["env-file", "stack"])
@pytest.mark.parametrize("level", ["probe", "deep"])
def test_command_line(probed: Ready, source: str, level: str) -> None:
    """All well, and user data as they were; what the settings do not say (password, container) is left out."""
    before = everything(probed)
    found = json.loads(probe(probed, "--level", level, "--json", *sources(probed)[source]))
    assert (found["verdict"], set(found["services"])) == ("pass", set(SERVICES))
    verdicts = {
        f"{name}.{check}": outcome["verdict"]
        for name, item in found["services"].items()
        for check, outcome in item["checks"].items()
    }
    if level == "probe":
        assert verdicts == {f"{name}.answers": "pass" for name in SERVICES}
    else:
        left_out = {check for check, verdict in verdicts.items() if verdict != "pass"}
        unknown = {"postgresql.pool", "neo4j.apoc", "redis.memory", "redis.persistence", "chromadb.memory"}
        assert left_out == (unknown if source == "env-file" else set())
        assert all(verdicts[check] == "not_applicable" for check in left_out)
    assert everything(probed) == before


def test_command_line_by_the_environment(probed: Ready) -> None:
    """Without options the settings are those of the process; a line a service."""
    lines = probe(probed, environment=settings(probed)).splitlines()
    assert [line.split()[:2] for line in lines] == [[name, "pass"] for name in SERVICES]
    assert all(line.split()[3] == "ms" for line in lines)


def test_service_that_is_down(probed: Ready) -> None:
    """Exit code 2, the driver's words, and the others are reported as they are; by the stack's file as well."""
    container = probed.stack.container("redis")
    container.stop()
    try:
        for words in sources(probed).values():
            lines = {line.split()[0]: line for line in probe(probed, *words, code=2).splitlines()}
            assert lines["redis"].split()[1] == "fail"
            assert all(lines[name].split()[1] == "pass" for name in SERVICES if name != "redis")
    finally:
        container.start()
    probed.stack.await_docker_health()


def through_an_outage(process: subprocess.Popen[str], container: Any) -> Iterator[str]:
    """Yield what a watch prints; Redis is stopped once it was seen well, and started once it was seen failing."""
    assert process.stdout
    for line in process.stdout:
        yield line
        if line.rstrip().endswith(" redis: pass"):
            container.stop()
        if " redis: fail" in line:
            container.start()


def test_watching_sees_a_service_go_and_come_back(probed: Ready) -> None:
    """One process on kept connections: lines for what changes alone, and the outage at the end."""
    container = probed.stack.container("redis")
    process = subprocess.Popen(
        [*command(), "--interval", "0.5", "--count", "0", *sources(probed)["env-file"]],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"]},
    )
    lines: list[str] = []
    for line in through_an_outage(process, container):
        lines.append(line)
        if " redis: pass after " in line:
            process.send_signal(signal.SIGINT)
    out = "".join(lines)
    assert process.wait() == 2, out
    changes = [line.split(" ", 1)[1] for line in out.splitlines() if " redis: " in line]
    assert changes[0] == "redis: pass"
    assert changes[1].startswith("redis: fail: answers: ")
    assert changes[2].startswith("redis: pass after ")
    assert re.search(r"^postgresql: 0 of \d+ rounds failed", out, re.MULTILINE), out
    assert "redis: 0 of" not in out
    assert "still failing" not in out
    assert not any(password in out for password in passwords(probed))
    probed.stack.await_docker_health()
    probed.stack.check()


PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: stack}
    - service_watch: {stack: "{{ ready_stack }}", interval: 1, count: 30}
      vars:
        ansible_python_interpreter: "{{ ready_stack.probes.directory }}/bin/python"
      register: watched
    - ansible.builtin.copy: {content: "{{ watched | to_json }}", dest: "{{ out }}", mode: "0600"}
"""


def test_watching_through_ansible(probed: Ready) -> None:
    """The module that the verb calls, on a service that goes and comes back."""
    container = probed.stack.container("redis")
    playbook, out = probed.directory / "watch.yml", probed.directory / "watched.json"
    playbook.write_text(PLAYBOOK)
    play = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        "-i",
        str(probed.inventory),
        str(playbook),
        "-e",
        f"out={out}",
    ]
    process = subprocess.Popen(
        play,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=os.environ | probed.environment,
    )
    shown = list(through_an_outage(process, container))
    assert process.wait() == 0, "".join(shown)
    watched = json.loads(out.read_text())["watched"]
    assert watched["rounds"] == 30
    assert watched["services"]["redis"]["failed_rounds"] >= 1
    assert watched["services"]["redis"]["verdict"] == "pass"
    assert watched["services"]["redis"]["longest_outage_seconds"] > 0
    assert watched["services"]["postgresql"]["failed_rounds"] == 0
    assert any(line.startswith("localhost: redis: ") and "rounds failed, longest outage" in line for line in shown)
    assert not any(password in "".join(shown) for password in passwords(probed))
    probed.stack.await_docker_health()


def test_connector_gives_working_connections(probed: Ready) -> None:
    """Real drivers, as the app account; all of them end with the connector."""
    with ServiceConnector.from_environment(settings(probed)) as services:
        assert services.validate_all_services() == dict.fromkeys(SERVICES, True)
        postgresql = services.postgresql()
        assert postgresql.execute("SELECT current_user, x FROM ready_test").fetchone() == ("kailash_app", 42)
        assert postgresql.execute("SHOW statement_timeout").fetchone() == ("0",)
        assert services.neo4j().execute_query("MATCH (n:ReadyTest) RETURN count(n) AS n").records[0]["n"] == 2
        assert services.chromadb().get_collection("ready_test", embedding_function=None).count() == 3
        assert services.redis().get("ready_test") == "42"
    assert postgresql.closed


def altered(values: dict[str, str], service: str, fault: str) -> dict[str, str]:
    """Return settings with one thing wrong."""
    url = {"postgresql": "DATABASE_URL", "neo4j": "NEO4J_URI", "chromadb": "CHROMA_URL", "redis": "REDIS_URL"}[service]
    password = {"postgresql": "PGPASSWORD", "neo4j": "NEO4J_PASSWORD", "redis": "REDIS_PASSWORD"}.get(service, "")
    before, at, address = values[url].rpartition("@" if "@" in values[url] else "//")
    _, slash, path = address.partition("/")
    port = address.partition("/")[0].rpartition(":")[2]
    if fault == "password":
        secret = values[password]
        return values | {url: values[url].replace(secret, "another"), password: "another"}
    where = CLOSED if fault == "port" else f"{NOWHERE}:{port}"
    return values | {url: f"{before}{at}{where}{slash}{path}"}


#: Fault -> what the driver says, and the next step.
FAULTS = {
    "password": (r"(?i)authentication|password", "take the settings again"),
    "port": ("(?i)refused", "./ready up"),
    "host": ("(?i)resolve|not known", "correct the host name"),
}
#: ChromaDB by itself has no password.
WRONG = [(name, fault) for name in SERVICES for fault in FAULTS if (name, fault) != ("chromadb", "password")]


@pytest.mark.parametrize(("service", "fault"), WRONG)
def test_connector_says_what_is_wrong(probed: Ready, service: str, fault: str) -> None:
    """Service, address, found, expected, next step; never the password, the right one neither."""
    values, (found, step) = settings(probed), FAULTS[fault]
    with ServiceConnector.from_settings(altered(values, service, fault), timeout=3) as services:
        with pytest.raises(ConnectorError, match=found) as caught:
            getattr(services, service)()
        assert services.validate_all_services()[service] is False
    message = str(caught.value)
    assert caught.value.service == service
    assert caught.value.address in message
    assert "expected" in message
    assert step in message
    assert "another" not in message
    assert not any(password in message for password in passwords(probed))


def test_connector_and_a_service_that_hangs(probed: Ready) -> None:
    """The error comes within a few times the limit, and the others are reported as they are."""
    with ServiceConnector.from_settings(settings(probed), timeout=2) as services:
        assert all(services.validate_all_services().values())
        container = probed.stack.container("redis")
        pause(container)
        try:
            started = time.monotonic()
            with pytest.raises(ConnectorError, match="Redis at"):
                services.redis()
            expected = {name: name != "redis" for name in SERVICES}
            assert services.validate_all_services(deadline=60) == expected
            assert time.monotonic() - started < 60  # each waits for an answer for 2 s; without that limit for good
        finally:
            container.unpause()
        assert all(services.validate_all_services().values())
    probed.stack.await_docker_health()


def install(environment: Path, lock: str, wheel: str) -> bool:
    """Make an environment, as the role does."""
    return installed.install_environment(environment, sys.executable, lock, package.WHEEL, package.wheel(), wheel)


def test_two_first_runs_at_once(tmp_path: Path) -> None:
    """One makes it, the other finds it made; what an interrupted run left is gone; a new package alone is quick."""
    environment = tmp_path / "probes"
    leftover = tmp_path / ".probes.new" / "bin"
    leftover.mkdir(parents=True)
    (leftover / "python").write_text("half")
    lock = "# nothing\n"
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda _: install(environment, lock, "1"), range(2))) == [False, True]

    def version() -> Any:
        code = "import ready; print(ready.__version__, ready.__file__)"
        return subprocess.check_output([environment / "bin" / "python", "-c", code], text=True, cwd="/")

    assert str(environment) in version()
    python = (environment / "bin" / "python").lstat().st_ctime_ns
    assert install(environment, lock, "2")
    assert (environment / "bin" / "python").lstat().st_ctime_ns == python
    assert not install(environment, lock, "2")
    (environment / installed.MARK).unlink()  # as a run leaves it that is interrupted
    assert install(environment, lock, "2")
    assert str(environment) in version()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".probes.lock", "probes"]
