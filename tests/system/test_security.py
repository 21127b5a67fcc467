"""A whole stack as an attacker finds it: all well, then each protection taken away for real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timezone
from typing import Any

import docker
import pytest
from ready.checks.make_probes import make_probes
from ready.checks.runner import CheckRunner
from ready.common.check_result import CheckResult
from ready.secrets.search import Search
from ready.security.attempt import Attempt, RefusedError
from ready.security.probes import SECURITY_PROBES
from ready.security.verdicts import judge_security

from tests.names import own
from tests.system.canary import Processes, shown, watched
from tests.system.checks import kept
from tests.system.conftest import QUICK, ROOT, Ready, Result, own_stack, pause
from tests.waiting import answering, until

NAME = own("sys-security")
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """A stack that is up, with user data."""
    with own_stack(tmp_path_factory.mktemp("security"), NAME, SERVICES) as ready:
        ready.run("up")
        ready.stack.write()
        yield ready


def attack(ready: Ready) -> CheckResult:
    """Find out and judge, here: the module is no more than this call."""
    return judged(ready, CheckRunner(ready.stack.resolved).security()["found"])


def judged(ready: Ready, found: dict[str, Any], today: date | None = None) -> CheckResult:
    """Judge what was found."""
    result = judge_security(ready.stack.resolved, found, today or datetime.now(timezone.utc).date())
    print("\n".join(map(str, result.rows)))  # pytest shows it with whatever then fails
    return result


def failed(result: CheckResult, *verdicts: str) -> dict[str, set[str]]:
    """Return service -> ids of the checks that failed (or have one of these verdicts)."""
    found: dict[str, set[str]] = {}
    for check in result.results["checks"]:
        if check["verdict"] in (verdicts or ("fail",)):
            found.setdefault(check["service"], set()).add(check["id"])
    return found


def check_of(result: CheckResult, service: str, name: str) -> dict[str, Any]:
    """Return one check."""
    return next(item for item in result.results["checks"] if (item["service"], item["id"]) == (service, name))


@contextmanager
def remade(ready: Ready, service: str, config: dict[str, Any] | None = None, **host: Any) -> Iterator[None]:
    """Have a container made by hand with other settings in the place of a service's own, which comes back."""
    container = ready.stack.container(service)
    attrs, name = container.attrs, str(container.name)
    api: Any = docker.from_env().api
    endpoint = {NAME: {"Aliases": [service]}}
    document = {**attrs["Config"], "Hostname": "", "HostConfig": attrs["HostConfig"] | host} | (config or {})
    container.stop()
    container.rename(f"{name}-aside")
    try:
        answer = api._post_json(
            api._url("/containers/create"), params={"name": name},
            data=document | {"NetworkingConfig": {"EndpointsConfig": endpoint}},
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        api.start(answer.json()["Id"])
        answering(ready.stack, service)
        yield
    finally:
        for item in docker.from_env().containers.list(all=True, filters={"name": f"^/{name}$"}):
            item.remove(force=True, v=True)
        container.rename(name)
        container.start()
        answering(ready.stack, service)


def networks() -> list[str]:
    """Return the networks that carry the stack's label."""
    found = docker.from_env().networks.list(filters={"label": f"io.ready.stack={NAME}"})
    return sorted(str(item.name) for item in found)


def interfaces() -> set[str]:
    """Return the interfaces on this host that checks from outside have made."""
    return {name for name in os.listdir("/sys/class/net") if name.startswith("rdy")}


def routes_around() -> bool:
    """Return whether this Docker lets in who routes to a container's address (before 28)."""
    return int(docker.from_env().version()["Version"].split(".")[0]) < 28


def test_all_is_well(stack: Ready) -> None:
    """Nothing fails and nothing is unknown; nothing is changed, restarted or left behind, and no secret is shown."""
    stack.stack.await_docker_health()
    before = stack.stack.identities()
    with Processes() as processes:
        result = stack.run("check", "--only", "security", "-vvv")
    evidence = kept(stack, "security")
    assert evidence["verdict"] == "waived"
    checked = CheckResult("security", evidence["verdict"], evidence["results"])
    assert failed(checked, "fail", "insufficient_data") == {}
    waived = {"5.15", "routed"} if routes_around() else {"5.15"}
    more = {"neo4j": {"app_rights", "monitor_reads"}, "chromadb": {"foreign_host"}}
    assert failed(checked, "waived") == {name: waived | more.get(name, set()) for name in SERVICES}
    assert result.changed == 0
    assert shown(stack, result, processes) == []
    assert stack.stack.identities() == before
    stack.stack.check()
    assert networks() == [NAME]
    left = interfaces()  # those of other checks on this host go within seconds
    until(lambda: not left & interfaces(), f"the look's interfaces to be gone: {sorted(left)}", seconds=60)


def test_made_by_hand_without_protection(stack: Ready) -> None:
    """Each thing that Docker was not told is named by its id, and a secret file that others may read; `up` heals."""
    client = docker.from_env()
    editor = client.containers.create(
        stack.stack.container("postgresql").image.id, ["-c", "chmod 444 /v/secrets/app"], entrypoint=["sh"], user="0",
        volumes={f"{NAME}_postgresql_config": {"bind": "/v"}},
    )  # fmt: skip
    editor.start()
    assert editor.wait()["StatusCode"] == 0
    editor.remove(v=True)
    container = stack.stack.container("redis")
    config = {**container.attrs["Config"], "Hostname": "", "NetworkingConfig": {"EndpointsConfig": {NAME: {}}}}
    config["HostConfig"] = container.attrs["HostConfig"] | {
        "CapDrop": [], "CapAdd": ["SYS_PTRACE"], "ReadonlyRootfs": False, "PidMode": "host", "IpcMode": "host",
        "UTSMode": "host", "SecurityOpt": ["seccomp=unconfined"], "Memory": 0, "MemorySwap": 0, "NanoCpus": 0,
        "PidsLimit": 0,
        "Binds": [
            *container.attrs["HostConfig"]["Binds"], "/etc:/host/etc:ro", "/var/run/docker.sock:/var/run/docker.sock",
        ],
        "Devices": [{"PathOnHost": "/dev/zero", "PathInContainer": "/dev/x", "CgroupPermissions": "r"}],
    }  # fmt: skip
    container.remove(force=True, v=True)
    made = client.api.create_container_from_config(config, name=container.name)  # type: ignore[no-untyped-call]
    client.api.start(made["Id"])
    answering(stack.stack, "redis")
    result = attack(stack)
    wanted = {"5.4", "5.6", "5.11", "5.12", "5.13", "5.16", "5.17", "5.18", "5.21", "5.22", "5.26", "5.29", "5.32"}
    # In the host's process namespace, process 1 is the host's.
    assert failed(result) == {"redis": wanted | {"4.1"}, "postgresql": {"secret_files"}}
    assert "added SYS_PTRACE" in check_of(result, "redis", "5.4")["found"]
    assert "secrets/app 0444 70:70" in check_of(result, "postgresql", "secret_files")["found"]
    assert any("./ready up makes the container of redis" in line for line in result.next)
    stack.stack.container("redis").remove(force=True, v=True)  # else `up` keeps its image
    stack.run("up")
    assert failed(attack(stack)) == {}


def test_published_everywhere(stack: Ready) -> None:
    """Then somebody else is answered, and is distinguished from the machine itself."""
    port = str(stack.stack.variables["redis_port"])
    with remade(stack, "redis", PortBindings={"6379/tcp": [{"HostIp": "0.0.0.0", "HostPort": port}]}):  # noqa: S104
        result = attack(stack)
    assert failed(result) == {"redis": {"5.14", "outside"}}
    assert f":{port} answers a machine on the host's link" in check_of(result, "redis", "outside")["found"]
    assert f"0.0.0.0:{port}" in check_of(result, "redis", "5.14")["found"]


def test_a_firewall_rule_closes_the_way_around(stack: Ready) -> None:
    """The rule of docs/security.md makes the waiver of `routed` needless; without it there is an answer."""
    bridge = f"br-{str(docker.from_env().networks.get(NAME).id)[:12]}"
    rule = ["DOCKER-USER", "!", "-i", bridge, "-o", bridge, "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP"]
    subprocess.run(["iptables", "--wait", "-I", *rule], check=True)
    try:
        result = attack(stack)
    finally:
        subprocess.run(["iptables", "--wait", "-D", *rule], check=True)
    assert failed(result) == {}
    routed = {name: check_of(result, name, "routed") for name in SERVICES}
    assert {name: its["found"] for name, its in routed.items() if its["verdict"] != "pass"} == {}


def test_secrets_on_show(stack: Ready) -> None:
    """In an environment, in an image and in a log: whose and where is named, and not the password."""
    password = stack.stack.passwords("redis")["app"]
    container = stack.stack.container("redis")
    image = container.commit(repository=own("ready-test/leak"), changes=f'LABEL leak="{password}"')
    try:
        environment = [*container.attrs["Config"]["Env"], f"REDISCLI_AUTH={password}"]
        with remade(stack, "redis", {"Env": environment, "Image": image.id}):
            its = stack.stack.container("redis")
            its.exec_run(["sh", "-c", f"echo {password} > /proc/1/fd/1"], user=its.attrs["Config"]["User"])
            # Redis itself overwrites what /proc shows of its environment.
            process = subprocess.Popen(["sleep", "600"], env={"REDISCLI_AUTH": password})
            try:
                result = attack(stack)
            finally:
                process.kill()
                process.wait()
    finally:
        docker.from_env().images.remove(str(image.id), force=True)
    assert failed(result) == {"stack": {"inspect", "images", "processes", "logs"}}
    assert "redis's app (plain) in docker inspect" in check_of(result, "stack", "inspect")["found"]
    assert "the environment of the process sleep" in check_of(result, "stack", "processes")["found"]
    assert password not in json.dumps([result.results, result.rows, result.next])


def test_postgresql_app_as_superuser(stack: Ready) -> None:
    """Everything that it may then do succeeds, and is undone; so does what the monitor may, with rights of before."""
    roles = "SELECT rolname FROM pg_roles ORDER BY 1"
    tables = "SELECT schemaname, relname FROM pg_stat_user_tables ORDER BY 1, 2"
    with stack.stack.postgresql("admin") as admin:
        before = admin.execute(roles).fetchall(), admin.execute(tables).fetchall()
        admin.execute("ALTER ROLE kailash_app SUPERUSER")
        admin.execute("GRANT CREATE ON SCHEMA public TO ready_monitor")
        admin.execute("GRANT pg_monitor, pg_read_all_data TO ready_monitor")
        try:
            result = attack(stack)
        finally:
            admin.execute("ALTER ROLE kailash_app NOSUPERUSER")
            admin.execute("REVOKE CREATE ON SCHEMA public FROM ready_monitor")
            admin.execute("REVOKE pg_monitor, pg_read_all_data FROM ready_monitor")
        assert (admin.execute(roles).fetchall(), admin.execute(tables).fetchall()) == before
    wanted = {"app_rights", "run_program", "read_server_file", "create_role", "become_admin", "read_password_hashes"}
    monitor = {"monitor_writes", "monitor_reads_tables", "monitor_reads_queries"}
    assert failed(result) == {"postgresql": wanted | {"other_database"} | monitor}
    assert "superuser" in check_of(result, "postgresql", "app_rights")["found"]


def postgresql_attempt(ready: Ready, name: str) -> Attempt:
    """Return one attack on PostgreSQL."""
    passwords = {"postgresql": ready.stack.passwords("postgresql")}
    probe = make_probes(ready.stack.resolved, passwords, 5)["postgresql"]
    return next(its for its in SECURITY_PROBES["postgresql"](probe, dict).attempts() if its.name == name)


@pytest.mark.parametrize(
    ("grant", "revoke", "found"),
    [
        ("SELECT ON orders TO PUBLIC", "SELECT ON orders FROM PUBLIC", "kailash_production.orders"),
        ("SELECT (n) ON orders TO ready_monitor", "SELECT (n) ON orders FROM ready_monitor", "may read 1 of "),
        ("kailash_app TO ready_monitor", "kailash_app FROM ready_monitor", "kailash_production.orders"),
    ],
)
def test_postgresql_monitor_may_read_a_table(stack: Ready, grant: str, revoke: str, found: str) -> None:
    """By a right to a table alone, which no table that the attack makes has."""
    attempt = postgresql_attempt(stack, "monitor_reads_tables")
    with stack.stack.postgresql("app") as app, stack.stack.postgresql("admin") as admin:
        app.execute("CREATE TABLE orders (n int)")
        try:
            with pytest.raises(RefusedError, match=r"none of [1-9]\d* tables in kailash_production"):
                attempt.run()
            admin.execute(f"GRANT {grant}")
            try:
                assert found in attempt.run()
            finally:
                admin.execute(f"REVOKE {revoke}")
        finally:
            app.execute("DROP TABLE orders")


@pytest.mark.parametrize(("role", "right"), [("postgres", "superuser"), ("ready_reader", "pg_read_all_data")])
def test_postgresql_app_may_become_another(stack: Ready, role: str, right: str) -> None:
    """By SET ROLE it has what that one has, with no right of its own."""
    attempt = postgresql_attempt(stack, "app_rights")
    with stack.stack.postgresql("admin") as admin:
        admin.execute(f"GRANT {role} TO kailash_app")
        try:
            assert right in attempt.run()
        finally:
            admin.execute(f"REVOKE {role} FROM kailash_app")
    with pytest.raises(RefusedError):
        attempt.run()


def test_redis_acl_loosened(stack: Ready) -> None:
    """The app may do anything, anybody may come in; no key is lost, and a restart heals it."""
    admin: Any = stack.stack.redis("admin")
    admin.config_set("protected-mode", "no")  # else it shuts everybody out as soon as the default user is let in
    admin.execute_command("ACL", "SETUSER", "kailash_app", "+@all")
    admin.execute_command("ACL", "SETUSER", "ready_monitor", "+get", "+slowlog|get", "~*")
    admin.execute_command("ACL", "SETUSER", "default", "on", "nopass", "+@all", "~*")
    result = attack(stack)
    wanted = {"dangerous_commands", "read_configuration", "list_accounts", "monitor_reads_keys", "monitor_reads_others"}
    assert failed(result) == {"redis": wanted | {"no_password", "default_user"}}
    assert "FLUSHALL" in check_of(result, "redis", "dangerous_commands")["found"]
    stack.stack.check("redis")
    stack.stack.container("redis").restart()
    answering(stack.stack, "redis")
    assert failed(attack(stack)) == {}


def test_a_service_that_hangs_is_not_called_safe(stack: Ready) -> None:
    """Nothing is known of it; the others are reported as they are."""
    container = stack.stack.container("redis")
    pause(container)
    try:
        result = attack(stack)
    finally:
        container.unpause()
    assert failed(result) == {}
    assert set(failed(result, "insufficient_data")) - {"stack"} == {
        "redis"
    }  # the action plugin searches the controller
    assert "is paused" in check_of(result, "redis", "5.13")["found"]
    assert check_of(result, "redis", "no_password")["verdict"] == "insufficient_data"


def test_waivers_end(stack: Ready) -> None:
    """After its last day the check fails again."""
    found = CheckRunner(stack.stack.resolved).security()["found"]
    assert failed(judged(stack, found)) == {}
    result = judged(stack, found, date(2099, 1, 1))
    assert "5.15" in failed(result)["redis"]
    assert any("its waiver ended on" in row["detail"] for row in result.rows)


def test_interrupted(stack: Ready) -> None:
    """Killed at its most delicate moment; what stays is one network, and the next run removes that."""
    code = "import json, sys; from ready.checks.runner import CheckRunner; CheckRunner(json.load(sys.stdin)).security()"
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": "module_utils"},
            cwd=ROOT,
        )
        assert process.stdin
        process.stdin.write(json.dumps(stack.stack.resolved).encode())
        process.stdin.close()
        while len(networks()) < 2 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if len(networks()) == 2:
            break
    assert networks() == [NAME, f"{NAME}-outsider"], "it was never caught in time"
    assert failed(attack(stack)) == {}
    assert networks() == [NAME]
    stack.stack.check()


#: What test_settings_that_open_doors finds. They stay: the end.
DOORS = {
    "neo4j_settings": QUICK["neo4j_settings"]
    | {
        "dbms.security.procedures.allowlist": "*",
        "internal.dbms.cypher_ip_blocklist": "192.0.2.0/24",
    },
    "chromadb_settings": {"allow_reset": True, "cors_allow_origins": ["*"]},
}


def test_forced_failure_shows_no_secret(stack: Ready) -> None:
    """A run that fails, at its most talkative, with passwords made again: neither these nor the old ones are shown."""
    old = Search(stack.stack.resolved, {name: stack.stack.passwords(name) for name in SERVICES})
    stack.set(redis_settings={"no-such-setting": "1"}, redis_health={"deadline": 5})
    try:
        with Processes() as processes:
            result = stack.run("secrets", "rotate", "--", "-vvv", "--diff", code=2)
        assert "no-such-setting" in result.text
        assert shown(stack, result, processes, old) == []
        assert len(processes.seen) > 20
    finally:
        stack.set(redis_settings=None, redis_health=None, **DOORS)
        watched(stack, "up", "--diff", "-vvv")
    stack.stack.check()


def test_the_search_would_have_found_it(stack: Ready) -> None:
    """A password in a process's arguments, in a process's environment and in the output is seen."""
    password = stack.stack.passwords("postgresql")["app"]
    with Processes() as processes:
        shows = [
            subprocess.Popen(["sleep", "600", "--", "0"], env={"PGPASSWORD": password}),
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", password]),
        ]
        try:
            before = processes.looks  # one that has begun already may be past them
            until(lambda: processes.looks > before + 1, "a whole look at all processes")
        finally:
            for process in shows:
                process.kill()
                process.wait()
    lines = shown(stack, Result(0, f"password: {password}", ""), processes)
    assert any("standard output" in line for line in lines)
    assert any("process b'sleep" in line for line in lines), lines
    assert sum("process b" in line for line in lines) >= 2, lines


def test_settings_that_open_doors(stack: Ready) -> None:
    """Neo4j that reads from elsewhere, and ChromaDB that empties itself and talks to web pages.

    In a whole run they came with the `up` that healed the rotation (test_forced_failure_shows_no_secret); all else is
    well.
    """
    if stack.set(**DOORS):
        stack.run("up")
    result = attack(stack)
    stack.stack.check()
    assert failed(result) == {"neo4j": {"apoc_reaches_out", "load_csv_reaches_out"}, "chromadb": {"reset", "web_page"}}
    assert "apoc.load.json" in check_of(result, "neo4j", "apoc_reaches_out")["found"]
