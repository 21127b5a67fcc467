"""What `check` makes of a state and of answers, without a service."""

from __future__ import annotations

from typing import Any

import pytest
from ready.checking import PARTS, combine, drift_part, health_part, to_verify
from ready.container import LABEL_KEPT, desired
from ready.definitions import load_definitions, resolve_stack
from ready.part import Part
from ready.specs import role_specs, verb_specs
from ready.status import service_state, still_shows


@pytest.fixture
def stack() -> dict[str, Any]:
    """Return a stack of Redis alone."""
    variables = {"stack_name": "ready", "ready_services": ["redis"], "ready_bind_address": "127.0.0.1"}
    return resolve_stack(load_definitions(), variables)


@pytest.fixture
def state(stack: dict[str, Any]) -> dict[str, Any]:
    """Return the state of that stack when all is as it should be."""
    service = stack["services"]["redis"]
    found = {
        "exists": True,
        "ours": True,
        "running": True,
        "status": "running",
        "health": "healthy",
        "image": {"ref": "redis:7", "id": "sha256:1", "present": True},
        "config": desired(service, "ready", "ready", "sha256:1"),
        "files_hash": service.get("config_hash"),
    }
    return {"services": {"redis": found}, "volumes": {}, "others": []}


def answer(verdict: str) -> dict[str, Any]:
    """Return what the probe of Redis told."""
    check = {"verdict": verdict, "seconds": 0.01, "detail": "" if verdict == "pass" else "no", "figures": {"keys": 1}}
    return {"redis": {"verdict": verdict, "seconds": 0.01, "checks": {"key_value": check}}}


def test_all_is_well(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """No next step, a row per check, and the checks are in the evidence; drift has no evidence of its own."""
    found = combine(stack, [health_part(stack, state, answer("pass")), drift_part(stack, state)])
    assert (found["verdict"], found["failed"], found["next"]) == ("pass", [], [])
    assert [row["check"] for row in found["rows"]] == ["container", "key_value", "drift"]
    (evidence,) = found["evidence"]
    assert (evidence["name"], evidence["verdict"]) == ("health", "pass")
    assert evidence["results"]["services"]["redis"]["checks"]["key_value"]["verdict"] == "pass"


def test_one_check_is_enough_to_fail(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """A service whose container is healthy fails with its answers."""
    found = combine(stack, [health_part(stack, state, answer("fail")), drift_part(stack, state)])
    assert (found["verdict"], found["failed"]) == ("fail", ["redis key_value"])
    assert "--service redis" in found["next"][0]


def test_drift_is_no_illness(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """The check fails, the evidence of health does not."""
    state["services"]["redis"]["config"]["memory"] = 1
    found = combine(stack, [health_part(stack, state, answer("pass")), drift_part(stack, state)])
    assert found["verdict"] == "fail"
    assert found["evidence"][0]["verdict"] == "pass"
    assert found["evidence"][0]["results"]["services"]["redis"]["drift"] == ["memory: found 1, expected 268435456"]


def test_unmanaged_container_is_named(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """One with our label that the inventory does not know."""
    state["others"] = [{"name": "ready-old", "status": "running", "service": "old"}]
    part = drift_part(stack, state)
    assert "ready-old" in part.next[0]
    assert combine(stack, [part])["failed"] == ["old drift"]


def test_unmanaged_volumes_and_networks_are_told(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """They are no fault, for they may hold data; those of the inventory and what an upgrade keeps are wanted."""
    ours = {"exists": True, "ours": True, "service": "redis", "labels": {}}
    state["volumes"] = {
        "ready_redis_data": ours,
        "ready_redis_config": ours,
        "ready_redis_kept": ours | {"labels": {LABEL_KEPT: "redis"}},
        "ready_old_data": ours | {"service": "old"},
        "somebody_elses": ours | {"ours": False},
    }
    part = drift_part(stack, state | {"other_networks": ["ready-old"]})
    told = [row["detail"] for row in part.rows if row["verdict"] == "not_applicable"]
    assert part.verdict == "pass"
    assert len(told) == 2
    assert "the volume ready_old_data" in told[0]
    assert "the network ready-old" in told[1]
    assert "the volume ready_old_data holds its data" in part.next[0]


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("old", "Next: name old in ready_services again: the volume x holds its data."),
        ("wal", "Next: set backup_pitr to true again: the volume x holds its data."),
        (None, ""),
    ],
)
def test_what_is_said_of_a_volume_that_nobody_names(
    stack: dict[str, Any], state: dict[str, Any], service: str | None, expected: str
) -> None:
    """What can be done: a sidecar has its own variable, and whose a volume is may not be known."""
    state["volumes"] = {"x": {"exists": True, "ours": True, "service": service, "labels": {}}}
    part = drift_part(stack, state)
    assert part.next == ([expected] if expected else [])
    assert part.rows[-1]["detail"] == "the inventory does not name the volume x; it is kept"


@pytest.mark.parametrize(("answers", "expected"), [(answer("pass"), "pass"), ({}, "fail")])
def test_just_started(stack: dict[str, Any], state: dict[str, Any], answers: dict[str, Any], expected: str) -> None:
    """Docker's first health test comes late: who answers is well, who was not asked is not called so."""
    state["services"]["redis"]["health"] = "starting"
    assert health_part(stack, state, answers).verdict == expected


def test_insufficient_data_is_no_fault(stack: dict[str, Any]) -> None:
    """It is the verdict of the whole, without a failure; rows are grouped by service, next steps said once."""
    row = {"check": "x", "verdict": "pass"}
    one = Part(
        "latency", "insufficient_data", {}, [{"service": "stack", **row}, {"service": "redis", **row}], ["Next: a"]
    )
    two = Part("network", "not_applicable", {}, [], ["Next: a"])
    found = combine(stack, [one, two])
    assert (found["verdict"], found["failed"], found["next"]) == ("insufficient_data", [], ["Next: a"])
    assert [row["service"] for row in found["rows"]] == ["redis", "stack"]


def test_parts_are_named_once() -> None:
    """Role and verb take the same names, in the order in which they are asked."""
    role = role_specs()["check"]["main"]["options"]["check_only"]["choices"]
    assert list(PARTS) == role == verb_specs()["check"]["options"]["ready_only"]["choices"]


def health(**changes: Any) -> dict[str, Any]:
    """Return results of the evidence of health, of one service."""
    its = {"state": "healthy", "container_id": "a", "started_at": "t", "checks": {"query": {}}}
    return {"services": {"redis": {**its, **changes}}}


@pytest.mark.parametrize(
    ("earlier", "now", "keeps"),
    [
        (health(), health(checks={}), True),
        (health(checks={}), health(checks={}), False),
        (health(), health(checks={}, container_id="b"), False),
        (health(), health(checks={}, started_at="u"), False),
        (health(), health(checks={}, state="unhealthy"), False),
        (health(state="unhealthy"), health(checks={}), False),
        ({}, health(checks={}), False),
        (health(), {"services": health()["services"] | {"neo4j": health()["services"]["redis"]}}, False),
        (health(container_id=None), health(checks={}, container_id=None), False),
    ],
)
def test_up_keeps_what_check_found(earlier: dict[str, Any], now: dict[str, Any], keeps: bool) -> None:
    """As long as every service is the same run of the same container, and healthy."""
    assert still_shows(earlier, now) is keeps


NEVER: dict[str, Any] = {"results": {}}


@pytest.mark.parametrize(
    ("its", "verdict", "others", "expected"),
    [
        (health(), "pass", [], False),
        (health(checks={}), "pass", [], True),
        (health(), "fail", [], True),
        (health(drift=["memory: found 1, expected 2"]), "pass", [], True),
        (health(), "pass", [{"name": "ready-old"}], True),
    ],
)
def test_up_verifies_what_did_not_pass(its: dict[str, Any], verdict: str, others: list[Any], expected: bool) -> None:
    """A fault that is known stays one: the second `up --verify` says it as the first one did."""
    evidence = {"health": {"verdict": verdict, "results": its}, "security": NEVER, "latency": NEVER}
    assert to_verify({"others": others}, evidence) is expected
    assert to_verify({"others": others}, evidence | {"health": NEVER}) is True


@pytest.mark.parametrize(("verdict", "expected"), [("fail", True), ("insufficient_data", False), ("pass", False)])
def test_up_verifies_when_another_part_failed(verdict: str, expected: bool) -> None:
    """Security, the ways and latency have evidence of their own."""
    evidence = {"health": {"verdict": "pass", "results": health()}, "security": {"verdict": verdict, "results": {}}}
    assert to_verify({"others": []}, evidence) is expected


@pytest.mark.parametrize(
    ("found", "detail", "step"),
    [
        (
            {"running": False, "status": "exited", "oom_killed": True, "exit_code": 137},
            "lack of memory",
            "redis_memory",
        ),
        ({"running": False, "status": "exited", "exit_code": 1}, "exited with code 1", "./ready logs"),
        ({"running": True, "restarts": 2}, "healthy; Docker has restarted it 2 times", ""),
        ({"running": True, "status": "paused"}, "paused", "./ready start --service redis"),
    ],
)
def test_why_a_container_is_down(
    stack: dict[str, Any], state: dict[str, Any], found: dict[str, Any], detail: str, step: str
) -> None:
    """Lack of memory is named with the variable that cures it; restarts are told, also of one that is well."""
    state["services"]["redis"].update(found)
    part = health_part(stack, state, answer("pass" if "restarts" in found else "fail"))
    assert detail in part.rows[0]["detail"]
    assert step in "".join(part.next)


@pytest.mark.parametrize(
    ("detail", "step"),
    [
        ('OperationalError: FATAL: password authentication failed for user "a"', "secrets rotate --service redis"),
        ("AuthenticationError: WRONGPASS invalid username-password pair", "secrets rotate --service redis"),
        ("AuthError: {code: Neo.ClientError.Security.Unauthorized}", "secrets rotate --service redis"),
        ('OperationalError: FATAL: too many connections for role "a"', "max_connections"),
        ("OperationalError: FATAL: sorry, too many clients already", "max_connections"),
        ("OperationalError: FATAL: remaining connection slots are reserved", "max_connections"),
        ("connections: found 95 of 100, expected less than 90%", "max_connections"),
        ("evicted keys since the start: found 3, expected 0", "redis_memory"),
        ("memory: found 95 of 100 bytes in use, expected less than 90%", "redis_memory"),
        ("memory of the container: found 9 of 9; deleted collections keep theirs until a restart", "./ready restart"),
        ("ResponseError: OOM command not allowed when used memory > 'maxmemory'.", "redis_memory"),
        ("MISCONF Errors writing to the AOF file: No space left on device", "docker system df"),
        ("could not create file: Read-only file system", "mounts the volumes of redis"),
        ("TimeoutError: Timeout reading from socket", "./ready logs --service redis"),
    ],
)
def test_the_next_step_fits_the_fault(stack: dict[str, Any], state: dict[str, Any], detail: str, step: str) -> None:
    """One line for each kind that is known, and the logs for what is not."""
    asked = answer("fail")
    asked["redis"]["checks"]["key_value"]["detail"] = detail
    part = health_part(stack, state, asked)
    assert len(part.next) == 1
    assert step in part.next[0]


def test_a_step_is_for_what_failed(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """A check that passed, or could not be made, asks for nothing; two kinds of faults for two steps."""
    asked = answer("fail")
    checks = asked["redis"]["checks"]
    checks["key_value"]["detail"] = "No space left on device"
    checks["memory"] = {**checks["key_value"], "detail": "evicted keys since the start: found 3, expected 0"}
    checks["persistence"] = {**checks["key_value"], "verdict": "not_applicable", "detail": "too many connections"}
    assert len(health_part(stack, state, asked).next) == 2


def test_paused_is_said() -> None:
    """Docker calls a paused container running, and keeps its last health."""
    assert service_state({"running": True, "status": "paused", "health": "healthy"}) == "paused"
    assert service_state({"running": True, "status": "running", "health": "healthy"}) == "healthy"
