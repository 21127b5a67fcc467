"""The receiver of WAL as part of a stack: what it is, and who treats it as they treat a service."""

from __future__ import annotations

from typing import Any

import pytest
from ready.checks.not_in_inventory import kept_lines
from ready.checks.report import drift_result, health_result
from ready.checks.status import status_rows
from ready.docker.plan import make_plan, settled
from ready.docker.removal_plan import removal
from ready.docker.spec import ContainerSpec
from ready.stack.definitions import SERVICES_DIR, DefinitionError, load_definitions
from ready.stack.render import render_files
from ready.stack.resolved import containers
from ready.stack.schema import faults

from tests.unit.conftest import resolved_stack


@pytest.fixture
def on() -> dict[str, Any]:
    """Return a stack of PostgreSQL with its receiver."""
    stack = resolved_stack(ready_services=["postgresql"], backup_pitr=True)
    stack["sidecars"]["wal"]["config_hash"] = "hash"
    stack["services"]["postgresql"]["config_hash"] = "hash"
    return stack


def state_of(stack: dict[str, Any], image: str = "sha256:1", **other: Any) -> dict[str, Any]:
    """Return the state in which everything is as asked for."""
    services = {
        name: {
            "exists": True,
            "ours": True,
            "running": True,
            "status": "running",
            "health": "healthy",
            "id": name,
            "files_hash": "hash",
            "image": {"ref": "ready/postgresql:15", "id": image, "present": True},
            "config": ContainerSpec.from_service(its, stack["name"], stack["network"], image).as_dict(),
        }
        for name, its in containers(stack).items()
    }
    names = [volume["name"] for its in containers(stack).values() for volume in its["volumes"]]
    names += [its["config_volume"] for its in containers(stack).values()]
    return {
        "reachable": True,
        "network": {"exists": True, "ours": True},
        "services": services,
        "volumes": {name: {"exists": True, "ours": True, "labels": {}, "service": ""} for name in names},
        "others": [],
        **other,
    }


def test_off_by_default() -> None:
    """Nothing of it is in a stack that does not ask for it; without PostgreSQL it is refused."""
    assert resolved_stack()["sidecars"] == {}
    with pytest.raises(DefinitionError, match="backup_pitr: found true without postgresql"):
        resolved_stack(ready_services=["redis"], backup_pitr=True)
    with pytest.raises(DefinitionError, match="backup_pitr: found 'perhaps', expected true or false"):
        resolved_stack(backup_pitr="perhaps")


def test_sidecar_is_described_as_services_are(on: dict[str, Any]) -> None:
    """Its definition fits its schema, which has the services' keys; its image is its service's."""
    assert faults(load_definitions(SERVICES_DIR / "sidecars")["wal"], "sidecar.schema.json") == []
    assert on["sidecars"]["wal"]["image"] is on["services"]["postgresql"]["image"]


def test_its_files_hold_one_password(on: dict[str, Any]) -> None:
    """The replication account's, and neither in its command nor in its environment."""
    sidecar = on["sidecars"]["wal"]
    rendered = {file.path: file for file in render_files(sidecar, {"backup": "secret-of-backup"}, {})}
    assert rendered["secrets/backup.pgpass"].content == b"*:*:*:ready_backup:secret-of-backup\n"
    assert {file.mode for file in rendered.values()} == {0o400}
    assert b"secret-of-backup" not in rendered["receive.sh"].content
    assert "sslmode" not in rendered["receive.sh"].content.decode()
    tls = render_files(sidecar | {"with_tls": True}, {"backup": "x"}, {})
    assert b"sslmode=verify-ca" in next(file.content for file in tls if file.path == "receive.sh")


def test_plan_knows_it(on: dict[str, Any]) -> None:
    """It is made with PostgreSQL, from PostgreSQL's image, healed like a service, and goes when it is switched off."""
    images = {"postgresql": {"ref": "ready/postgresql:15", "id": "sha256:1"}}
    state = state_of(on)
    assert not make_plan(on, state, images)["changes"]
    assert settled(on, state)
    unhealthy = state_of(on)
    unhealthy["services"]["wal"]["health"] = "unhealthy"
    assert not settled(on, unhealthy)
    newer = {"postgresql": {"ref": "ready/postgresql:17", "id": "sha256:2"}}
    assert make_plan(on, state, newer, ["postgresql"])["actions"] == {"postgresql": "recreate", "wal": "recreate"}
    off = resolved_stack(ready_services=["postgresql"])
    off["services"]["postgresql"]["config_hash"] = "hash"
    left = {"name": "ready-wal", "service": "wal", "status": "running"}
    plan = make_plan(off, state_of(off, others=[left, left | {"name": "theirs"}]), images)
    assert plan["remove"] == ["ready-wal"]
    assert plan["changes"]
    assert "switched off. Next: ./ready up removes it" in kept_lines({"others": [left]}, "pc1")[0]
    assert "switched off. `up` removes it" in kept_lines({"others": [left]}, "pc1", before=True)[0]


def test_everybody_knows_it(on: dict[str, Any]) -> None:
    """Status, health, drift and destroy; it is not asked for data, and its own red health test is a fault."""
    state = state_of(on)
    rows = status_rows(on, state, {})
    assert [(row["service"], row["drift"]) for row in rows] == [("postgresql", "none"), ("wal", "none")]
    assert "ready-wal" in removal(state, on, {}, volumes=True)["containers"]
    assert "ready_wal" in removal(state, on, {}, volumes=True)["volumes"]
    answered = {"postgresql": {"verdict": "pass", "checks": {}}}
    part = health_result(on, state, answered)
    assert part.verdict == "pass"
    assert part.results["sidecars"]["wal"]["state"] == "healthy"
    assert "wal" not in part.results["services"]
    state["services"]["wal"] |= {"health": "unhealthy"}
    state["services"]["wal"]["config"] = state["services"]["wal"]["config"] | {"memory": 1}
    assert health_result(on, state, answered).verdict == "fail"
    assert [row["verdict"] for row in drift_result(on, state).rows] == ["pass", "fail"]
