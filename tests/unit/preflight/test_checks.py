# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every check of preflight, once fitting and once not."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ready.common.finding import Finding
from ready.common.labels import LABEL_DATA_FORMAT, LABEL_ENGINE, LABEL_SOURCE
from ready.common.verdict import worst
from ready.preflight import checks
from ready.preflight.limits import Limits
from ready.stack.definitions import load_definitions, resolve_stack

from tests.unit.conftest import VARIABLES
from tests.unit.host.test_engine_setup import facts as docker_facts

MIB = 2**20
ANYWHERE = "0.0.0.0"  # noqa: S104


@pytest.fixture
def facts() -> dict[str, Any]:
    """Return a host that fits, with a Docker that answers."""
    found = docker_facts(reachable=True, local=True, published=[])
    return found | {
        "os": {"id": "debian", "version_id": "12", "version_codename": "bookworm", "pretty_name": "Debian 12"},
        "architecture": "x86_64",
        "python": {"version": "3.11.2", "executable": "/usr/bin/python3"},
        "is_root": True,
        "memory": {"total": 8192 * MIB, "available": 6000 * MIB, "cgroup_limit": None},
        "disk": {"docker": {"path": "/var/lib/docker", "free": 20480 * MIB, "total": 40960 * MIB}},
        "listening": [],
        "windows_listening": None,
        "time": {"epoch": 1000.5, "controller": 1000.0},
        "proxy": {},
        "ca": {"bundle": "/etc/ssl/cert.pem", "env": {}},
    }


@pytest.fixture
def wanted(stack: dict[str, Any]) -> dict[str, Any]:
    """Return the default stack."""
    return stack | {"image_source": "auto"}


def state(stack: dict[str, Any], *, running: bool = True) -> dict[str, Any]:
    """Return the state of a stack that is made."""
    return {
        "network": {"exists": True, "ours": True},
        "others": [],
        "services": {
            name: {
                "exists": True,
                "ours": True,
                "running": running,
                "image": {"present": True},
                "ports": [port["host"] for port in service["ports"]],
            }
            for name, service in stack["services"].items()
        },
        "volumes": {
            volume["name"]: {
                "exists": True,
                "ours": True,
                "service": name,
                "labels": {LABEL_SOURCE: "build", LABEL_DATA_FORMAT: str(service["image"]["data_format"]["build"])},
            }
            for name, service in stack["services"].items()
            for volume in service["volumes"]
        },
    }


def check(name: str, *args: Any, **kwargs: Any) -> Finding:
    """Return one check."""
    return next(item for item in checks.evaluate(*args, **{"now": 1001.0} | kwargs) if item.id == name)


def test_a_host_that_fits(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Nothing fails on a new host, nor on one with the stack running; every row is complete."""
    for have in ({}, state(wanted)):
        rows = checks.finding_rows(checks.evaluate(facts, wanted, have, now=1001.0))
        assert checks.failure_text("h", rows) == ""
        assert len({row["id"] for row in rows}) == len(rows)
    assert worst(row["verdict"] for row in rows) == "pass"


@pytest.mark.parametrize(
    ("name", "change", "verdict"),
    [
        (
            "os",
            {"os": {"id": "debian", "version_id": "11", "version_codename": "", "pretty_name": "D"}},
            "insufficient_data",
        ),
        ("architecture", {"architecture": "aarch64"}, "insufficient_data"),
        ("architecture", {"architecture": "i686"}, "fail"),
        ("python", {"python": {"version": "3.9.2", "executable": "/usr/bin/python3"}}, "fail"),
        ("python", {"python": {"version": "3.10.0", "executable": "/usr/bin/python3"}}, "pass"),
        ("clock", {"time": {"epoch": 1007.0, "controller": 1000.0}}, "fail"),
        ("clock", {"time": {"epoch": 994.0, "controller": 1000.0}}, "fail"),
        ("clock", {"time": {"epoch": 1000.0, "controller": None}}, "insufficient_data"),
    ],
)
def test_host(facts: dict[str, Any], wanted: dict[str, Any], name: str, change: dict[str, Any], verdict: str) -> None:
    """What the host is."""
    found = check(name, facts | change, wanted)
    assert found.verdict == verdict
    assert bool(found.next) == (verdict == "fail")


def test_an_unsupported_system_without_docker_is_refused(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Nothing could be installed there; with a Docker of its own it is merely untried."""
    release = {"id": "arch", "version_id": "", "version_codename": "", "pretty_name": "Arch Linux"}
    bare = docker_facts(local=True, published=[])["docker"]
    assert check("os", facts | {"os": release, "docker": bare}, wanted).verdict == "fail"
    assert check("os", facts | {"os": release}, wanted).verdict == "insufficient_data"


def test_docker_can_only_be_installed_by_root(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """A user without rights is told how to get them, before anything is tried."""
    bare = {"docker": docker_facts(local=True, published=[])["docker"]}
    assert check("docker", facts | bare, wanted).verdict == "pass"
    found = check("docker", facts | bare | {"is_root": False}, wanted)
    assert (found.verdict, "--become" in found.next) == ("fail", True)


def test_memory(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The limits of the services that do not run yet, and the margin; a cgroup's limit counts as well."""
    need = sum(service["limits"]["memory"] for service in wanted["services"].values()) + 256 * MIB
    facts["memory"]["available"] = need
    assert check("memory", facts, wanted).verdict == "pass"
    facts["memory"]["available"] = need - 1
    found = check("memory", facts, wanted)
    assert (found.verdict, "neo4j_memory" in found.next) == ("fail", True)
    assert f"{need // MIB:,} MiB" in found.expected
    assert check("memory", facts, wanted, state(wanted)).verdict == "pass"  # it all runs already
    facts["memory"] |= {"available": need, "cgroup_limit": need - 1}
    assert check("memory", facts, wanted).verdict == "fail"


@pytest.mark.parametrize(("status", "verdict"), [("running", "pass"), ("exited", "fail")])
def test_memory_of_a_container_that_was_being_replaced(
    facts: dict[str, Any], wanted: dict[str, Any], status: str, verdict: str
) -> None:
    """A run that was killed left it under its other name: what it holds is not needed once more."""
    facts["memory"]["available"] = 0
    found = state(wanted)
    found["services"]["neo4j"] |= {"exists": False, "running": False}
    found["others"] = [{"name": "ready-neo4j-replaced", "service": "neo4j", "status": status, "leftover": True}]
    assert check("memory", facts, wanted, found).verdict == verdict


def test_disk(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """A new stack needs more than one that is there."""
    facts["disk"]["docker"]["free"] = 10239 * MIB
    assert check("disk", facts, wanted).verdict == "fail"
    assert check("disk", facts, wanted, limits=Limits(disk_free=1024 * MIB)).verdict == "pass"
    assert check("disk", facts, wanted, state(wanted)).verdict == "pass"
    facts["disk"]["docker"]["free"] = 1023 * MIB
    assert check("disk", facts, wanted, state(wanted)).verdict == "fail"


@pytest.mark.parametrize("address", [ANYWHERE, "127.0.0.1", "::", "::ffff:127.0.0.1"])
def test_a_port_that_is_taken(facts: dict[str, Any], wanted: dict[str, Any], address: str) -> None:
    """The process, its pid and the variable to change are named."""
    facts["listening"] = [{"address": address, "port": 5432, "pid": 77, "process": "postgres"}]
    found = check("port_postgresql", facts, wanted)
    assert found.verdict == "fail"
    assert "postgres (pid 77)" in found.found
    assert "postgresql_port" in found.next


@pytest.mark.parametrize("address", ["192.0.2.1", "::1"])
def test_a_port_of_another_address(facts: dict[str, Any], wanted: dict[str, Any], address: str) -> None:
    """The same port on another address hurts nobody."""
    facts["listening"] = [{"address": address, "port": 5432, "pid": 77, "process": "postgres"}]
    assert check("port_postgresql", facts, wanted).verdict == "pass"


def test_a_port_that_windows_holds(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Under WSL a service would start, and applications on Windows would reach another one."""
    facts["windows_listening"] = [{"address": ANYWHERE, "port": 6379, "pid": 9, "process": "memurai.exe"}]
    found = check("port_redis", facts, wanted)
    assert (found.verdict, "memurai.exe (pid 9) on Windows" in found.found) == ("fail", True)


@pytest.mark.parametrize(("status", "verdict"), [("restarting", "pass"), ("exited", "fail")])
def test_a_port_of_a_container_that_crashes_again_and_again(
    facts: dict[str, Any], wanted: dict[str, Any], status: str, verdict: str
) -> None:
    """Its proxy may have been there for a moment: `up`, which heals it, is not refused. One that has ended has none."""
    facts["listening"] = [{"address": ANYWHERE, "port": 5432, "pid": None, "process": None}]
    found = state(wanted)
    found["services"]["postgresql"] |= {"running": False, "status": status}
    assert check("port_postgresql", facts, wanted, found).verdict == verdict


def test_a_port_of_a_container(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Our own container may hold it; another's is named, not Docker's proxy."""
    facts["listening"] = [{"address": ANYWHERE, "port": 5432, "pid": 5, "process": "docker-proxy"}]
    facts["docker"]["published"] = [{"port": 5432, "container": "ready-postgresql", "stack": "ready"}]
    assert check("port_postgresql", facts, wanted, state(wanted)).verdict == "pass"
    assert check("port_postgresql", facts, wanted).verdict == "pass"
    facts["docker"]["published"] = [{"port": 5432, "container": "ready-postgresql-replaced", "stack": "ready"}]
    assert check("port_postgresql", facts, wanted).verdict == "pass"  # a run that was killed was replacing it
    facts["docker"]["published"] = [{"port": 5432, "container": "ready-postgresql", "stack": "other"}]
    assert check("port_postgresql", facts, wanted).verdict == "fail"
    facts["docker"]["published"] = [{"port": 5432, "container": "other-db", "stack": None}]
    found = check("port_postgresql", facts, wanted)
    assert (found.verdict, found.found) == ("fail", "held by container other-db")


@pytest.mark.parametrize(
    ("variables", "verdict", "says"),
    [
        ({}, "pass", ""),
        ({"ready_tls": True}, "pass", ""),
        ({"redis_bind_address": ANYWHERE}, "fail", "redis_tls to {enabled: true}"),
        ({"redis_bind_address": ANYWHERE, "ready_tls": True}, "pass", ""),
        ({"redis_bind_address": ANYWHERE, "redis_tls": {"enabled": True}}, "pass", ""),
        ({"redis_bind_address": ANYWHERE, "ready_tls": True, "redis_tls": {"enabled": False}}, "fail", "redis_tls"),
        ({"chromadb_bind_address": "192.0.2.1", "ready_tls": True}, "fail", "ready_services with gateway"),
        ({"gateway_bind_address": "192.0.2.1"}, "pass", ""),
        ({"ready_bind_address": "192.0.2.1", "ready_tls": True}, "fail", "chromadb_bind_address to 127.0.0.1"),
    ],
)
def test_a_bind_beyond_loopback(facts: dict[str, Any], variables: dict[str, Any], verdict: str, says: str) -> None:
    """Accounts and TLS, both; ChromaDB never by itself."""
    names = ["postgresql", "neo4j", "chromadb", "redis", "gateway"]
    stack = resolve_stack(load_definitions(), VARIABLES | {"ready_services": names} | variables)
    found = check("bind", facts, stack | {"image_source": "auto"})
    assert (found.verdict, says in found.next, bool(found.next)) == (verdict, True, verdict == "fail")


def test_certificates(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Own ones that are due are told, given ones that clients would refuse are a fault with its next step."""
    assert check("certificates", facts, wanted).found == "no service speaks TLS"
    wanted["certificates"] = {
        "redis": {"origin": "own", "due": "12 days are left", "fault": ""},
        "neo4j": {"origin": "given", "due": "", "fault": ""},
    }
    found = check("certificates", facts, wanted)
    assert (found.verdict, found.found) == ("pass", "redis: to be made: 12 days are left; neo4j: given")
    wanted["certificates"]["neo4j"]["fault"] = "key k.pem: it does not belong to the certificate c.pem"
    found = check("certificates", facts, wanted)
    assert (found.verdict, "k.pem" in found.found, "neo4j_tls" in found.next) == ("fail", True, True)


@pytest.mark.parametrize("kind", ["container", "volume", "network"])
def test_a_name_that_is_not_ours(facts: dict[str, Any], wanted: dict[str, Any], kind: str) -> None:
    """What does not carry our label is named and left alone."""
    have = state(wanted)
    item, name = {
        "container": (have["services"]["redis"], "container ready-redis"),
        "volume": (have["volumes"]["ready_redis_data"], "volume ready_redis_data"),
        "network": (have["network"], "network ready"),
    }[kind]
    assert check("ownership", facts, wanted, have).verdict == "pass"
    item["ours"] = False
    found = check("ownership", facts, wanted, have)
    assert (found.verdict, name in found.found) == ("fail", True)


def test_a_volume_of_another_data_format(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Data made with one image are not given to another; the way out is named."""
    have = state(wanted)
    assert check("volumes", facts, wanted, have).verdict == "pass"
    assert check("volumes", facts, wanted | {"image_source": "build"}, have).verdict == "pass"
    found = check("volumes", facts, wanted | {"image_source": "registry"}, have)
    assert (found.verdict, "dump" in found.next) == ("fail", True)
    assert "ready_postgres_data holds 15-glibc (build)" in found.found
    images = {"postgresql": {"data_format": "15-musl", "source": "registry"}}
    assert check("volumes", facts, wanted, have, images=images).verdict == "fail"
    unlabelled = copy.deepcopy(have)
    unlabelled["volumes"]["ready_postgres_data"]["labels"] = {}
    assert check("volumes", facts, wanted, unlabelled).verdict == "insufficient_data"


def test_data_that_came_with_a_site_registrys_image(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """It has upstream's image or the built one; which of them fits the data, the role container_images says."""
    found = state(wanted)
    labels = found["volumes"]["ready_postgres_data"]["labels"]
    registry = wanted | {"image_source": "registry"}
    assert check("volumes", facts, registry, found).verdict == "fail"
    for volume in found["volumes"].values():
        volume["labels"][LABEL_SOURCE] = "registry"
    assert check("volumes", facts, registry, found).verdict == "pass"
    labels[LABEL_DATA_FORMAT] = "9-musl"
    assert check("volumes", facts, registry, found).verdict == "fail"


def test_an_image_that_nothing_can_serve(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """It is refused with what was tried and what comes next, until it is there."""
    foreseen = {"redis": "redis: no image source works. build: down. Next: make one work", "neo4j": ""}
    found = check("images", facts, wanted, foreseen=foreseen)
    assert found.verdict == "fail"
    assert (found.found, found.next) == ("redis: no image source works. build: down", "make one work")
    assert check("images", facts, wanted, foreseen={"neo4j": ""}).verdict == "insufficient_data"
    images = {"redis": {"source": "build", "data_format": "rdb-10"}}
    assert check("images", facts, wanted, foreseen=foreseen, images=images).verdict == "insufficient_data"


def test_a_container_keeps_the_image_of_another_line(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Data of another release line are no fault while their container is there; without it they are."""
    have = state(wanted)
    have["volumes"]["ready_postgres_data"]["labels"] |= {LABEL_ENGINE: "17.2", LABEL_DATA_FORMAT: "17-glibc"}
    assert check("volumes", facts, wanted, have).verdict == "pass"
    have["services"]["postgresql"] = {"exists": False}
    assert "ready_postgres_data holds 17-glibc" in check("volumes", facts, wanted, have).found


def test_data_whose_secrets_are_lost(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """New passwords are not made for data that have old ones."""
    volume = wanted["services"]["redis"]["volumes"][0]["name"]
    wanted["secrets"] = {"missing": ["redis/app"], "path": "/inventory/ready_secrets.vault"}
    found = check("secrets", facts, wanted, {"volumes": {volume: {"exists": True, "ours": True, "labels": {}}}})
    assert found.verdict == "fail"
    assert volume in found.found
    assert "put back the secrets file" in found.next
    assert (
        check("secrets", facts, wanted, {"volumes": {volume: {"exists": False, "ours": False, "labels": {}}}}).verdict
        == "pass"
    )


def test_a_further_account_has_no_password_to_lose(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The data know nothing of a login that the inventory has only now."""
    volume = wanted["services"]["postgresql"]["volumes"][0]["name"]
    wanted["secrets"] = {"missing": ["postgresql/shop"], "path": "/inventory/ready_secrets.vault"}
    have = {"volumes": {volume: {"exists": True, "ours": True, "labels": {}}}}
    assert check("secrets", facts, wanted, have).verdict == "pass"


def test_an_inventory_that_is_not_writable(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Found before anything is done, and no fault where nothing is to be written."""
    wanted["secrets"] = {"missing": ["redis/app"], "path": "/i/ready_secrets.vault", "unwritable": "/i is not writable"}
    found = check("secrets", facts, wanted)
    assert (found.verdict, found.found) == ("fail", "/i is not writable; new ones belong into /i/ready_secrets.vault")
    wanted["secrets"]["missing"] = []
    assert check("secrets", facts, wanted).verdict == "pass"
    wanted["owner"] = {"id": ""}
    assert check("secrets", facts, wanted).verdict == "fail"
    wanted["owner"], wanted["certificates"] = {"id": "1"}, {"redis": {"due": True, "fault": "", "given": False}}
    assert check("secrets", facts, wanted | {"services": {}}).verdict == "fail"


def test_another_machines_daemon(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """This machine's memory, disk and ports say nothing about it."""
    facts["docker"] |= {"local": False, "host": "tcp://db1:2376"}
    verdicts = {item.id: item.verdict for item in checks.evaluate(facts, wanted, now=1001.0)}
    assert {verdicts["memory"], verdicts["disk"], verdicts["port_redis"]} == {"insufficient_data"}


def test_messages_name_host_finding_expectation_and_next_step(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """One line per fault, all of them at once."""
    facts |= {"architecture": "i686"}
    facts["disk"]["docker"]["free"] = MIB
    message = checks.failure_text("db1", checks.finding_rows(checks.evaluate(facts, wanted, now=1001.0)))
    assert message.splitlines() == [
        "db1: Architecture: found i686 (not tried); expected x86_64. Next: use an x86_64 host.",
        "db1: Disk: found 1 MiB free at /var/lib/docker; expected 10,240 MiB for images and data. "
        "Next: free disk space there, or set preflight_disk_free lower.",
    ]
