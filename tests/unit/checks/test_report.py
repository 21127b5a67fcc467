"""What `check` makes of a state and of answers, without a service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ready.checks.parts import PARTS
from ready.checks.report import (
    combine_results,
    drift_result,
    empty_report,
    health_result,
    needs_check,
    why_unchecked,
)
from ready.checks.status import earlier_still_holds, health_results, health_verdict, service_state, status_rows
from ready.common.check_result import CheckResult
from ready.common.labels import LABEL_KEPT
from ready.docker.spec import ContainerSpec
from ready.stack.argument_specs import role_specs, verb_specs
from ready.stack.definitions import load_definitions, resolve_stack

from action_plugins.check_results import evaluate


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
        "config": ContainerSpec.from_service(service, "ready", "ready", "sha256:1").as_dict(),
        "files_hash": service.get("config_hash"),
    }
    return {"reachable": True, "services": {"redis": found}, "volumes": {}, "others": []}


def answer(verdict: str) -> dict[str, Any]:
    """Return what the probe of Redis told."""
    check = {"verdict": verdict, "seconds": 0.01, "detail": "" if verdict == "pass" else "no", "figures": {"keys": 1}}
    return {"redis": {"verdict": verdict, "seconds": 0.01, "checks": {"key_value": check}}}


def test_all_is_well(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """No next step, a row per check, and the checks are in the evidence; drift has no evidence of its own."""
    found = combine_results(stack, [health_result(stack, state, answer("pass")), drift_result(stack, state)])
    assert (found["verdict"], found["failed"], found["next"]) == ("pass", [], [])
    assert [row["check"] for row in found["rows"]] == ["container", "key_value", "drift"]
    (evidence,) = found["evidence"]
    assert (evidence["name"], evidence["verdict"]) == ("health", "pass")
    assert evidence["results"]["services"]["redis"]["checks"]["key_value"]["verdict"] == "pass"


def test_one_check_is_enough_to_fail(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """A service whose container is healthy fails with its answers."""
    found = combine_results(stack, [health_result(stack, state, answer("fail")), drift_result(stack, state)])
    assert (found["verdict"], found["failed"]) == ("fail", ["redis key_value"])
    assert "--service redis" in found["next"][0]


def test_drift_is_no_illness(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """The check fails, the evidence of health does not."""
    state["services"]["redis"]["config"]["memory"] = 1
    found = combine_results(stack, [health_result(stack, state, answer("pass")), drift_result(stack, state)])
    assert found["verdict"] == "fail"
    assert found["evidence"][0]["verdict"] == "pass"
    assert found["evidence"][0]["results"]["services"]["redis"]["drift"] == ["memory: found 1, expected 268435456"]


def test_unmanaged_container_is_named(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """One with our label that the inventory does not know."""
    state["others"] = [{"name": "ready-old", "status": "running", "service": "old"}]
    result = drift_result(stack, state)
    assert "ready-old" in result.next[0]
    assert combine_results(stack, [result])["failed"] == ["old drift"]


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
    result = drift_result(stack, state | {"other_networks": ["ready-old"]})
    told = [row["detail"] for row in result.rows if row["verdict"] == "not_applicable"]
    assert result.verdict == "pass"
    assert len(told) == 2
    assert "the volume ready_old_data" in told[0]
    assert "the network ready-old" in told[1]
    assert "the volume ready_old_data holds its data" in result.next[0]


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
    result = drift_result(stack, state)
    assert result.next == ([expected] if expected else [])
    assert result.rows[-1]["detail"] == "the inventory does not name the volume x; it is kept"


@pytest.mark.parametrize(("answers", "expected"), [(answer("pass"), "pass"), ({}, "fail")])
def test_just_started(stack: dict[str, Any], state: dict[str, Any], answers: dict[str, Any], expected: str) -> None:
    """Docker's first health test comes late: who answers is well, who was not asked is not called so."""
    state["services"]["redis"]["health"] = "starting"
    assert health_result(stack, state, answers).verdict == expected


def gone(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state when Redis has no container."""
    absent = {"exists": False, "ours": False, "running": False, "status": "absent", "ports": []}
    return state | {"services": {"redis": absent}}


def test_an_absent_stack_is_one_line(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """Nothing passes, the next step is `up`, and the evidence says that nothing is healthy."""
    state = gone(state) | {"volumes": {"ready_redis_data": {"exists": True, "ours": True, "labels": {}}}}
    why = why_unchecked(stack, state)
    assert why == "the stack ready is absent: found none of its containers; its volumes are there. Next: ./ready up"
    found = empty_report(stack, state, why, [])
    assert (found["verdict"], found["rows"], found["next"], found["failed"]) == ("fail", [], [], [why])
    assert [(its["name"], its["verdict"]) for its in found["evidence"]] == [("health", "fail")]
    assert found["evidence"][0]["results"]["services"]["redis"]["state"] == "absent"
    assert empty_report(stack, state, why, ["latency"])["evidence"] == []


def test_a_check_asks_nobody_who_is_absent(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """The filter says so itself, whatever was asked; where there is a container there is something to check."""
    assert evaluate(stack, gone(state), {}, ["drift"], {})["missing"].endswith("Next: ./ready up")
    assert why_unchecked(stack, state) == ""
    assert "missing" not in evaluate(stack, state, {"health": {"services": answer("pass")}}, [], {})


def test_a_silent_daemon_is_not_an_absent_stack(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """What runs there is not known."""
    assert (
        why_unchecked(stack, gone(state) | {"reachable": False, "reason": "no answer. Next: x"}) == "no answer. Next: x"
    )


def test_an_absent_container_passes_nothing(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """A row for each part says it, and the next step is not the log of a container that is not there."""
    refused = [{"service": "redis", "check": check, "verdict": "fail", "detail": "refused"} for check in "ab"]
    other = CheckResult(
        "latency", "fail", {}, refused, ["Next: ./ready logs --service redis; ./ready up starts it again."]
    )
    parts = [health_result(stack, gone(state), answer("fail")), drift_result(stack, gone(state)), other]
    found = combine_results(stack, parts, ["redis"])
    assert [(row["check"], row["verdict"]) for row in found["rows"]] == [
        ("container", "fail"), ("drift", "fail"), ("a", "fail"),
    ]  # fmt: skip
    assert found["rows"][1]["detail"] == "found no container, expected one"
    assert found["next"] == ["Next: ./ready up makes the containers that are absent."]
    assert found["evidence"][0]["results"]["services"]["redis"]["drift"] == ["found no container, expected one"]
    details: dict[str, Any] = {}
    assert status_rows(stack, gone(state), details)[0]["drift"] == "absent"


@pytest.mark.parametrize("state_of", ["healthy", "starting", "unhealthy", "exited", "absent", "paused"])
@pytest.mark.parametrize("of_sidecar", [None, "healthy", "starting", "exited"])
def test_up_and_check_judge_health_alike(
    stack: dict[str, Any], state: dict[str, Any], state_of: str, of_sidecar: str | None
) -> None:
    """The verdict is made of the results, whoever leaves the evidence; a sidecar that has ended is no health."""
    words = {"redis": state_of, "wal": of_sidecar or ""}
    found = {}
    for name, word in words.items():
        running = word in ("healthy", "starting", "unhealthy")
        its = {"running": running, "status": "running" if running else word, "health": word, "exists": word != "absent"}
        found[name] = state["services"]["redis"] | its
    if of_sidecar:
        stack["sidecars"] = {"wal": {**stack["services"]["redis"], "name": "wal", "of": "redis", "image_of": "redis"}}
    state["services"] = found if of_sidecar else {"redis": found["redis"]}
    result, results = health_result(stack, state, {}), health_results(stack, state, {}, {})
    well = state_of == "healthy" and of_sidecar in (None, "healthy", "starting")
    assert (result.verdict, health_verdict(results)) == (("pass", "pass") if well else ("fail", "fail"))


def test_verdicts_are_judged_in_one_place() -> None:
    """No role and no playbook decides what passes, by a condition of its own."""
    root = Path(__file__).resolve().parents[3]
    files = [path for place in ("roles", "playbooks") for path in sorted((root / place).rglob("*.yml"))]
    judged = re.compile(r"""verdict: .*['"](pass|fail|insufficient_data)['"].* if """)
    assert [path.name for path in files if judged.search(path.read_text())] == []


def test_insufficient_data_is_no_fault(stack: dict[str, Any]) -> None:
    """It is the verdict of the whole, without a failure; rows are grouped by service, next steps said once."""
    row = {"check": "x", "verdict": "pass"}
    one = CheckResult(
        "latency", "insufficient_data", {}, [{"service": "stack", **row}, {"service": "redis", **row}], ["Next: a"]
    )
    two = CheckResult("network", "not_applicable", {}, [], ["Next: a"])
    found = combine_results(stack, [one, two])
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
    assert earlier_still_holds(earlier, now) is keeps


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
    assert needs_check({"others": others}, evidence) is expected
    assert needs_check({"others": others}, evidence | {"health": NEVER}) is True


@pytest.mark.parametrize(("verdict", "expected"), [("fail", True), ("insufficient_data", False), ("pass", False)])
def test_up_verifies_when_another_part_failed(verdict: str, expected: bool) -> None:
    """Security, the ways and latency have evidence of their own."""
    evidence = {"health": {"verdict": "pass", "results": health()}, "security": {"verdict": verdict, "results": {}}}
    assert needs_check({"others": []}, evidence) is expected


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
    """Lack of memory is named with the variable that cures it; restarts are reported, also of one that is well."""
    state["services"]["redis"].update(found)
    result = health_result(stack, state, answer("pass" if "restarts" in found else "fail"))
    assert detail in result.rows[0]["detail"]
    assert step in "".join(result.next)


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
    result = health_result(stack, state, asked)
    assert len(result.next) == 1
    assert step in result.next[0]


def test_a_step_is_for_what_failed(stack: dict[str, Any], state: dict[str, Any]) -> None:
    """A check that passed, or could not be made, asks for nothing; two kinds of faults for two steps."""
    asked = answer("fail")
    checks = asked["redis"]["checks"]
    checks["key_value"]["detail"] = "No space left on device"
    checks["memory"] = {**checks["key_value"], "detail": "evicted keys since the start: found 3, expected 0"}
    checks["persistence"] = {**checks["key_value"], "verdict": "not_applicable", "detail": "too many connections"}
    assert len(health_result(stack, state, asked).next) == 2


def test_paused_is_said() -> None:
    """Docker calls a paused container running, and keeps its last health."""
    assert service_state({"running": True, "status": "paused", "health": "healthy"}) == "paused"
    assert service_state({"running": True, "status": "running", "health": "healthy"}) == "healthy"
