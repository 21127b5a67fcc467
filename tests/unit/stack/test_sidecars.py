# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A sidecar that publishes its service's ports, as ai_gateway does for ai: what each is, and who knows it."""

from __future__ import annotations

from typing import Any

import pytest
from ready.checks.not_in_inventory import kept_lines
from ready.checks.report import drift_result, health_result
from ready.checks.status import health_results, status_rows
from ready.connections.settings import seen_from_network
from ready.docker import trial
from ready.docker.images_in_use import images_in_use
from ready.docker.plan import make_plan, needs_image, settled, to_try
from ready.docker.spec import ContainerSpec
from ready.docker.start_failures import trial_message, unhealthy_message
from ready.docker.state import absent_state
from ready.docker.wait import Readiness
from ready.preflight.checks import evaluate
from ready.security.container_checks import CHECKS, Facts, run
from ready.security.runner import targets_of
from ready.security.verdicts import _outside
from ready.stack.definitions import SERVICES_DIR, DefinitionError, load_definitions
from ready.stack.image_names import stack_images
from ready.stack.resolved import container_ports, containers, published_ports, stop_order
from ready.stack.schema import faults
from ready.stack.sidecars import sidecar_definitions, switchable_sidecars
from ready.upgrades.compatibility import load, version_rows

from tests.unit.conftest import resolved_stack
from tests.unit.preflight.test_checks import facts as host_facts

BOTH = ["chromadb", "gateway", "ai"]
IMAGES = {name: {"ref": f"ready/{name}:1", "id": f"sha256:{name}"} for name in (*BOTH, "redis")}


def stack_of(*services: str, **variables: Any) -> dict[str, Any]:
    """Return a resolved stack in which everything has its fingerprint."""
    stack = resolved_stack(ready_services=list(services), **variables)
    for name, its in containers(stack).items():
        its["config_hash"] = f"hash of {name}"
    return stack


def running(stack: dict[str, Any], **images: str) -> dict[str, Any]:
    """Return the state in which everything is as it should be; `images` are ids by service or sidecar."""
    state = absent_state(containers(stack).values(), "")
    state.update(reachable=True, network={"exists": True, "ours": True})
    for name, its in containers(stack).items():
        image = its.get("image_of", name)
        identifier = images.get(name, f"sha256:{image}")
        state["services"][name] = {
            "exists": True, "ours": True, "running": True, "status": "running", "health": "healthy",
            "image": {"id": identifier, "ref": f"ready/{image}:1", "present": True},
            "config": ContainerSpec.from_service(its, "ready", "ready", identifier).as_dict(),
            "files_hash": its["config_hash"],
            "ports": [port["host"] for port in published_ports(its)],
        }  # fmt: skip
    for volume in state["volumes"].values():
        volume.update(exists=True, ours=True)
    return state


# ---------------------------------------------------------------- what it is
@pytest.mark.parametrize("name", load_definitions(SERVICES_DIR / "sidecars"))
def test_each_definition_keeps_its_schema(name: str) -> None:
    """And the schema refuses what it does not know, and one that publishes nothing and has no account."""
    its = dict(sidecar_definitions()[name])
    assert faults(its, "sidecar.schema.json") == []
    assert "colour" in str(faults(its | {"colour": "red"}, "sidecar.schema.json"))
    bare = {key: value for key, value in its.items() if key not in {"publishes", "account"}}
    assert faults(bare, "sidecar.schema.json")
    assert {its["of"], its.get("image_of", its["of"])} <= set(load_definitions())


def test_always_with_its_service_unless_a_variable_asks() -> None:
    """The stack of before has none; ai is never without its gateway."""
    assert switchable_sidecars() == {"wal": "backup_pitr"}
    assert resolved_stack()["sidecars"] == {}
    assert list(stack_of("ai")["sidecars"]) == ["ai_gateway"]
    assert set(stack_of("ai", "postgresql", backup_pitr=True)["sidecars"]) == {"ai_gateway", "wal"}


def test_it_has_what_it_takes_of_its_service() -> None:
    """With the inventory's values in it, under its own names; and the ports, which are the service's."""
    stack = stack_of("ai", ai_rate={"requests": 7}, ai_port=18090, ready_tls=True)
    ai, gateway = stack["services"]["ai"], stack["sidecars"]["ai_gateway"]
    for mine, key in gateway["takes"].items():
        assert gateway[mine] == ai[key], mine
    assert gateway["rate"] == {"requests": 7, "seconds": 10}
    assert gateway["tls"]["enabled"] is gateway["with_tls"] is True
    assert gateway["ports"] == ai["ports"]
    assert gateway["ports"][0]["host"] == 18090


def test_one_container_publishes() -> None:
    """The gateway's; the model server is met in the stack's network alone."""
    stack = stack_of("ai")
    ai, gateway = stack["services"]["ai"], stack["sidecars"]["ai_gateway"]
    assert ContainerSpec.from_service(ai, "ready", "ready").ports == {}
    published = ContainerSpec.from_service(gateway, "ready", "ready")
    assert published.ports == {"8090/tcp": "127.0.0.1:8090"}
    assert published.arguments()[1]["port_bindings"] == {8090: ("127.0.0.1", 8090)}
    assert (container_ports(ai), container_ports(gateway)) == ({8080, 8081, 8082}, {8090})
    rows = {row["service"]: row["ports"] for row in status_rows(stack, running(stack), {})}
    assert rows == {"ai": "", "ai_gateway": "127.0.0.1:8090"}


def test_other_containers_meet_the_gateway() -> None:
    """By its container's name, which a given certificate must be for."""
    ai = stack_of("ai")["services"]["ai"]
    assert seen_from_network(ai)["ports"][0] | {"name": ""} == ai["ports"][0] | {"name": "", "bind": "ready-ai_gateway"}
    given = ai | {"tls": {"enabled": True, "certificate": "x", "names": ["ai.example"]}}
    with pytest.raises(ValueError, match="expected ready-ai_gateway too"):
        seen_from_network(given)


# ---------------------------------------------------------------- its image
def test_one_image_for_both_gateways() -> None:
    """Its definition and variables are the gateway's, whether that one is in the stack or not."""
    alone = stack_of("ai", gateway_tag="2.8", gateway_image="mirror.example/haproxy:x")
    assert list(stack_images(alone)) == ["ai", "gateway"]
    image = stack_images(alone)["gateway"]["image"]
    assert (image["tag"], image["override"]) == ("2.8", "mirror.example/haproxy:x")
    assert image["repository"] == load_definitions()["gateway"]["image"]["repository"]
    both = stack_of(*BOTH)
    assert list(stack_images(both)) == BOTH
    assert both["sidecars"]["ai_gateway"]["image"] is both["services"]["gateway"]["image"]
    assert stack_images(both)["gateway"]["users"] == ["gateway", "ai_gateway"]
    with pytest.raises(DefinitionError, match=r"gateway_version: found '9', expected 2\.6"):
        stack_of("ai", gateway_version="9")


def test_which_images_are_needed() -> None:
    """None while a container keeps one; all of them when they are to be new."""
    stack = stack_of("ai")
    nothing = absent_state(containers(stack).values(), "")
    assert needs_image(stack, nothing) == ["ai", "gateway"]
    state = running(stack)
    assert needs_image(stack, state) == []
    assert needs_image(stack, state, rebuild=True) == ["ai", "gateway"]
    state["services"]["ai_gateway"]["image"]["present"] = False
    assert needs_image(stack, state) == ["gateway"]
    assert needs_image(stack_of("ai", gateway_image="other:1"), running(stack)) == ["gateway"]


def test_a_new_gateway_takes_the_image_that_is_in_use() -> None:
    """And both run the same one: the other gateway's container decides, as a service's does."""
    stack = stack_of(*BOTH)
    state = running(stack, gateway="sha256:old", ai_gateway="sha256:old")
    state["services"]["ai_gateway"] = {"exists": False, "ours": False, "running": False, "status": "absent"}
    assert needs_image(stack, state) == []
    found = images_in_use(stack, state, {})
    assert set(found) == set(BOTH)
    assert found["gateway"]["id"] == "sha256:old"
    plan = make_plan(stack, state, found)
    assert plan["actions"] == {"chromadb": "none", "gateway": "none", "ai": "none", "ai_gateway": "create"}
    assert plan["specs"]["ai_gateway"]["reference"] == "ready/gateway:1"
    given = stack_of(*BOTH, gateway_image="mirror.example/haproxy:x")
    mixed = running(given, gateway="sha256:old", ai_gateway="sha256:given")
    mixed["services"]["ai_gateway"]["image"]["ref"] = "mirror.example/haproxy:x"
    assert images_in_use(given, mixed, {})["gateway"]["id"] == "sha256:given"
    first = running(stack, ai_gateway="sha256:old")
    first["services"]["gateway"] = {"exists": False, "ours": False, "running": False, "status": "absent"}
    assert images_in_use(stack, first, {})["gateway"]["id"] == "sha256:old"


def test_a_new_image_reaches_both() -> None:
    """As `up --rebuild` finds one."""
    stack = stack_of(*BOTH)
    newer = IMAGES | {"gateway": {"ref": "ready/gateway:2", "id": "sha256:new"}}
    plan = make_plan(stack, running(stack), newer)
    assert plan["actions"] == {"chromadb": "none", "gateway": "recreate", "ai": "none", "ai_gateway": "recreate"}


def test_wal_follows_its_service() -> None:
    """Without PostgreSQL's container an image is looked for, whatever its sidecar runs."""
    stack = stack_of("postgresql", backup_pitr=True)
    state = running(stack)
    state["services"]["postgresql"] = {"exists": False, "ours": False, "running": False, "status": "absent"}
    assert needs_image(stack, state) == ["postgresql"]


def test_versions_show_each_image() -> None:
    """By its name, with what runs of it."""
    stack = stack_of("ai", gateway_tag="2.8")
    rows = {row["service"]: row for row in version_rows(stack, running(stack), {}, load(), "2026-11-24")}
    assert list(rows) == ["ai", "gateway"]
    assert (rows["gateway"]["image"], rows["gateway"]["wanted"]) == ("ready/gateway:1", "2.6")


def test_a_state_without_sidecars_serves_for_services() -> None:
    """A backup reads services alone."""
    stack = stack_of("ai")
    state = running(stack)
    del state["services"]["ai_gateway"]
    assert set(images_in_use(stack, state, {})) == {"ai"}


# ---------------------------------------------------------------- who acts on it
def test_plan_makes_keeps_and_tries_it() -> None:
    """With its service, in its place: its files are tried, and its container may come back, as a service's."""
    stack = stack_of("ai")
    nothing = absent_state(containers(stack).values(), "")
    assert make_plan(stack, nothing, IMAGES, ["ai"])["actions"] == {"ai": "create", "ai_gateway": "create"}
    state = running(stack)
    assert not make_plan(stack, state, IMAGES)["changes"]
    assert settled(stack, state)
    assert to_try(stack, state) == []
    changed = stack_of("ai")
    changed["sidecars"]["ai_gateway"]["config_hash"] = "another"
    assert to_try(changed, state) == ["ai_gateway"]
    plan = make_plan(changed, state, IMAGES)
    assert plan["actions"] == {"ai": "none", "ai_gateway": "recreate"}
    assert (plan["tried"], plan["kept"]) == (["ai_gateway"], ["ai_gateway"])
    state["services"]["ai_gateway"]["health"] = "unhealthy"
    assert not settled(stack, state)


def test_wal_is_neither_tried_nor_kept() -> None:
    """It does nothing without its service."""
    stack = stack_of("postgresql", backup_pitr=True)
    images = {"postgresql": {"ref": "ready/postgresql:1", "id": "sha256:postgresql"}}
    state = running(stack)
    stack["sidecars"]["wal"]["config_hash"] = "another"
    plan = make_plan(stack, state, images)
    assert (plan["actions"]["wal"], plan["tried"], plan["kept"]) == ("recreate", [], [])


def test_its_trial_needs_no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """HAProxy reads its files and stays; what it is before is not there, so its own health test is not asked."""
    stack = stack_of("ai")
    its = stack["sidecars"]["ai_gateway"]
    waited: dict[str, Any] = {}
    started = type("Container", (), {"start": lambda self: None})
    monkeypatch.setattr(trial, "remove_leftovers", lambda *_: None)
    monkeypatch.setattr(trial, "write_volume", lambda *_: {})
    monkeypatch.setattr(trial, "create", lambda *_: started())
    monkeypatch.setattr(trial, "wait_for_all", lambda services, *_: waited.update(services) or {})
    client: Any = type("Client", (), {"volumes": type("Volumes", (), {"create": lambda self, *_, **__: None})()})()
    specs = {"ai_gateway": ContainerSpec.from_service(its, "ready", "ready")}
    trial.try_out(client, {"ai_gateway": its}, specs, {"ai_gateway": "sha256:1"}, {"ai_gateway": {}})
    assert waited["ai_gateway"]["health"]["test"] == ["CMD", "sleep", "2"]
    ended = vars(Readiness("ai_gateway", state="exited", detail="exit code 1", logs=["[ALERT] unknown keyword 'x'"]))
    said = trial_message("pc1", stack, {"ai_gateway": ended})
    assert said.startswith("pc1: ai_gateway does not start with what has changed")
    assert "correct what was changed of ai_*" in said


def test_stopped_first_kept_when_its_service_is() -> None:
    """Requests under way are answered; a gateway whose service is no longer named stays beside it."""
    stack = stack_of("ai", "postgresql", backup_pitr=True)
    assert sorted(containers(stack), key=lambda name: stop_order(containers(stack)[name])) == [
        "ai_gateway",
        "ai",
        "postgresql",
        "wal",
    ]
    assert list(containers(stack, ["ai"])) == ["ai", "ai_gateway"]
    left = {"name": "ready-ai_gateway", "service": "ai_gateway", "status": "running"}
    without = stack_of("redis")
    state = running(without) | {"others": [left]}
    assert make_plan(without, state, IMAGES)["remove"] == []
    assert "kept, and so are its data" in kept_lines(state, "pc1")[0]
    config = {"ours": True, "labels": {}, "service": "ai_gateway", "exists": True}
    state["volumes"]["ready_ai_gateway_config"] = config
    assert any("name ai in ready_services again" in line for line in drift_result(without, state).next)


def test_its_illness_is_the_stacks() -> None:
    """The verdict is fail, and the message names it and where its settings are."""
    stack = stack_of("ai")
    state = running(stack)
    asked = {"ai": {"verdict": "pass", "checks": {}}}
    assert health_result(stack, state, asked).verdict == "pass"
    state["services"]["ai_gateway"]["health"] = "unhealthy"
    part = health_result(stack, state, asked)
    assert part.verdict == "fail"
    assert [row["service"] for row in part.rows if row["verdict"] == "fail"] == ["ai_gateway"]
    assert len(part.next) == len(set(part.next)) == 1
    results = health_results(stack, state, IMAGES, {})
    assert results["sidecars"]["ai_gateway"]["image_id"] == "sha256:gateway"
    assert results["sidecars"]["ai_gateway"]["of"] == "ai"
    waited = {"ai_gateway": vars(Readiness("ai_gateway", state="unhealthy", detail="no answer", seconds=9.0))}
    said = unhealthy_message("pc1", stack, waited)
    assert "ai_gateway is unhealthy after 9 s, expected healthy" in said
    assert "limits and settings are ai_* in the inventory" in said


# ---------------------------------------------------------------- who looks at it from outside
def test_security_asks_each_for_its_own() -> None:
    """Published ports of the gateway, listening of both; the host's addresses are the gateway's to answer for."""
    stack = stack_of("ai")
    ai, gateway = stack["services"]["ai"], stack["sidecars"]["ai_gateway"]
    checks = {check.id: check for check in CHECKS}
    address = {"networks": {"ready": {"address": "172.18.0.9"}}}
    bindings = {"8090/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8090"}]}
    sockets = {"ai": [8080, 8081, 8082], "ai_gateway": [8090]}
    read = {
        name: {"host_config": {"PortBindings": ports}, "sockets": [["tcp", "0.0.0.0", port] for port in sockets[name]]}  # noqa: S104
        | address
        for name, ports in (("ai", {}), ("ai_gateway", bindings))
    }
    host = {"listening": [["tcp", "127.0.0.1", 8090]]}
    for service in (ai, gateway):
        for check in ("5.9", "5.14"):
            verdict, found, expected = run(checks[check], Facts(service, read[service["name"]], host))
            assert verdict == "pass", (service["name"], check, found, expected)
    for its, accounts in ((ai, ["server"]), (gateway, ["app", "monitor", "throttle", "server"])):
        files = [{"path": f"secrets/{name}", "mode": "0400", "owner": its["image"]["user"]} for name in accounts]
        assert run(checks["secret_files"], Facts(its, {"files": files}, host))[0] == "pass"
        assert run(checks["secret_files"], Facts(its, {"files": files[1:]}, host))[0] == "fail"
    swapped = read["ai"] | {"host_config": {"PortBindings": bindings}}
    assert run(checks["5.14"], Facts(ai, swapped, host))[0] == "fail"
    targets = targets_of(stack, read, ["192.0.2.2"])
    assert targets["ai"] == {"host": [], "container": [("172.18.0.9", port) for port in sockets["ai"]]}
    assert targets["ai_gateway"] == {"host": [("192.0.2.2", 8090)], "container": [("172.18.0.9", 8090)]}
    answered = {place: {"answered": [["192.0.2.2", 8090]], "fault": ""} for place in ("neighbour", "container")}
    verdicts = {
        name: {check["id"]: check["verdict"] for check in _outside(name, its, {"targets": targets[name]}, answered)}
        for name, its in containers(stack).items()
    }
    assert verdicts == {"ai": {"routed": "pass"}, "ai_gateway": {"outside": "fail", "routed": "pass"}}


def test_preflight_knows_who_holds_the_port() -> None:
    """It is ai's port in the gateway's container: held by us it is no fault, and memory counts both."""
    stack = stack_of("ai") | {"image_source": "build", "backups": {}, "schedules": {}}
    host = host_facts.__wrapped__()  # type: ignore[attr-defined]  # the fixture's function
    ours = {"published": [{"port": 8090, "container": "ready-ai_gateway", "stack": "ready"}]}
    host["docker"] |= ours
    checks = {check.id: check for check in evaluate(host, stack, running(stack))}
    port = checks["port_ai"]
    assert (port.verdict, port.found) == ("pass", "held by container ready-ai_gateway")
    assert checks["images"].found == "every image is here"
    host["docker"] |= {"published": [], "local": False}
    away = {check.id: check for check in evaluate(host, stack, running(stack))}
    assert away["port_ai"].verdict == "pass"
    host["docker"] |= {"local": True, **ours}
    nothing = absent_state(containers(stack).values(), "") | {"reachable": True}
    checks = {check.id: check for check in evaluate(host, stack, nothing)}
    assert checks["port_ai"].verdict == "pass"
    assert "not tried yet for ai, gateway" in checks["images"].found
    assert "the limits of ai, ai_gateway" in checks["memory"].expected
