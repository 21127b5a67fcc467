# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is tried before a running container is touched, how, and what is said of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ready.checks.not_in_inventory import kept_lines
from ready.checks.status import unlisted
from ready.common.config_file import File
from ready.common.labels import LABEL_CONFIG, LABEL_STACK, LABEL_TRIAL
from ready.docker import trial
from ready.docker.plan import make_plan, settled, to_try
from ready.docker.spec import ContainerSpec
from ready.docker.start_failures import own_words, suspects, trial_message, trial_undecided
from ready.docker.state import absent_state
from ready.docker.wait import Readiness
from ready.preflight.limits import Limits
from ready.preflight.memory import check_memory, room_to_try
from ready.secrets.file_transfer import pack_files, unpack_files

from tests.unit.conftest import resolved_stack
from tests.unit.docker.test_plan import IMAGES, running

MIB = 2**20
REDIS = [
    "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***",
    "Reading the configuration file, at line 9",
    ">>> 'maxmemry 4k'",
    "Bad directive or wrong number of arguments",
]
POSTGRESQL = [
    "creating configuration files ... ok",
    'LOG:  unrecognized configuration parameter "max_connectons" in file "/run/ready/postgresql.conf" line 12',
    'FATAL:  configuration file "/run/ready/postgresql.conf" contains errors',
]
NEO4J = ["Failed to read config: Unrecognized setting. No declared setting with name: server.memory.pagecache.siz."]


def outcome(**changes: Any) -> dict[str, Any]:
    """Return how a wait ended."""
    return (
        vars(Readiness("redis", state="exited", seconds=1.0, detail="the container is exited (exit code 1)")) | changes
    )


@pytest.mark.parametrize(
    ("variables", "tried"),
    [
        ({}, []),
        ({"redis_memory": "300m"}, ["redis"]),
        ({"postgresql_command": ["postgres", "-c", "x=y"]}, ["postgresql"]),
        ({"redis_port": 7000}, []),
        ({"redis_stop_timeout": 70}, []),
    ],
    ids=["nothing", "limit", "command", "port", "timeout"],
)
def test_what_is_tried(variables: dict[str, Any], tried: list[str]) -> None:
    """What may keep a service from starting; a run without such a change costs nothing more."""
    state = running(resolved_stack())
    changed = resolved_stack(**variables)
    assert to_try(changed, state) == tried
    assert make_plan(changed, state, IMAGES)["tried"] == tried


def test_files_of_another_content_are_tried() -> None:
    """Files that were edited or lost are not: the new ones are what it ran with. Nor are labels or an image alone."""
    stack = resolved_stack()
    state = running(stack)
    state["services"]["redis"]["files_hash"] = "edited"
    assert make_plan(stack, state, IMAGES)["actions"]["redis"] == "recreate"
    assert to_try(stack, state) == []
    stack["services"]["redis"]["config_hash"] = "new"
    assert to_try(stack, state) == ["redis"]
    state = running(resolved_stack())
    state["services"]["redis"]["config"]["labels"][LABEL_STACK] = "x"
    state["services"]["redis"]["config"]["image"] = "sha256:other"
    assert to_try(resolved_stack(), state) == []


@pytest.mark.parametrize("have", [{"running": False}, {"ours": False}, {"exists": False, "running": False}])
def test_only_what_runs_and_is_ours_is_tried(have: dict[str, Any]) -> None:
    """There is nothing to protect otherwise."""
    state = running(resolved_stack())
    state["services"]["redis"] |= have
    assert to_try(resolved_stack(redis_memory="300m"), state) == []


def test_the_trial_reaches_nothing_of_the_service() -> None:
    """No network, port or data volume, and no restart; the image and what has changed are the service's."""
    stack = resolved_stack()
    service = stack["services"]["neo4j"]
    spec = ContainerSpec.from_service(service, "ready", "ready", "sha256:neo4j")
    tried = trial.trial_spec(service, spec, "sha256:neo4j")
    assert (tried.networks, tried.aliases, tried.ports, tried.restart) == ([], None, {}, "no")
    assert tried.volumes == {"/run/ready": "ready_neo4j_config_tried:ro"}
    assert tried.anonymous == ["/data", "/logs"]
    assert tried.name == "ready-neo4j-tried"
    assert tried.hostname == "localhost"
    assert tried.labels == {LABEL_STACK: "ready", LABEL_TRIAL: "neo4j"}
    for key in ("command", "user", "memory", "cpus", "pids", "tmpfs", "cap_drop", "security_opt", "read_only"):
        assert getattr(tried, key) == getattr(spec, key)
    assert (spec.labels or {})[LABEL_CONFIG] == ""


def test_what_a_trial_left_behind_goes_by_the_next_run() -> None:
    """It is no service that the inventory lost, no volume that may hold data, and a reason for a run to act."""
    stack = resolved_stack()
    state = running(stack)
    assert settled(stack, state)
    state["others"] = [{"name": "ready-redis-tried", "service": None, "status": "exited", "leftover": True}]
    state["volumes"]["ready_redis_config_tried"] = {
        "exists": True,
        "ours": True,
        "service": "redis",
        "labels": {LABEL_STACK: "ready", LABEL_TRIAL: "redis"},
    }
    plan = make_plan(stack, state, IMAGES)
    assert plan["leftovers"] == ["ready-redis-tried", "ready_redis_config_tried"]
    assert plan["changes"]
    assert not settled(stack, state)
    left = "pc1: ready-redis-tried (exited): left by a run that was killed. "
    assert kept_lines(state, "pc1") == [f"{left}Next: ./ready up deals with it"]
    assert kept_lines(state, "pc1", before=True) == [f"{left}`up` deals with it"]
    assert unlisted(stack, state) == []


def test_room_to_try() -> None:
    """The smallest first; what does not fit is left out."""
    services = resolved_stack()["services"]
    chosen = [services["neo4j"], services["redis"], services["postgresql"]]
    assert room_to_try(chosen, 800 * MIB) == (["redis", "postgresql"], ["neo4j"])
    assert room_to_try(chosen, 100 * MIB) == ([], ["redis", "postgresql", "neo4j"])


def test_preflight_counts_the_trial() -> None:
    """It is part of the figure where there is room for it, and no fault where there is none."""
    services = resolved_stack()["services"]
    facts: dict[str, Any] = {"docker": {"local": True}, "memory": {"available": 1024 * MIB, "cgroup_limit": None}}
    check = check_memory(facts, services, [], ["redis"], Limits())
    assert (check.verdict, check.expected) == ("pass", "512 MiB: the trial of redis and a margin of 256 MiB")
    check = check_memory(facts, services, ["postgresql"], ["redis"], Limits())
    assert check.expected.startswith("1,024 MiB: the limits of postgresql, the trial of redis and a margin")
    check = check_memory(facts, services, [], ["neo4j"], Limits())
    assert (check.verdict, "too little to try the changes of neo4j first" in check.found) == ("pass", True)
    facts["memory"]["available"] = 100 * MIB
    assert check_memory(facts, services, [], ["redis"], Limits()).verdict == "pass"


@pytest.mark.parametrize(
    ("name", "setting", "logs", "variable"),
    [
        ("redis", "maxmemry", REDIS, "redis_settings: maxmemry (did you mean maxmemory?)"),
        (
            "postgresql",
            "max_connectons",
            POSTGRESQL,
            "postgresql_settings: max_connectons (did you mean max_connections?)",
        ),
        (
            "neo4j",
            "server.memory.pagecache.siz",
            NEO4J,
            "neo4j_settings: server.memory.pagecache.siz (did you mean server.memory.pagecache.size?)",
        ),
    ],
)
def test_the_log_names_the_setting(name: str, setting: str, logs: list[str], variable: str) -> None:
    """The message has the log's own words, the variable, and the name that was probably meant."""
    stack = resolved_stack(**{f"{name}_settings": {setting: "4k"}})
    message = trial_message("pc1", stack, {name: outcome(logs=logs)})
    assert variable in message
    assert logs[-1] in message
    assert "No running container was touched" in message
    assert message.startswith(f"pc1: {name} does not start")


def test_a_setting_with_a_wrong_value_is_named_as_it_is() -> None:
    """No other name is guessed for one that the engine knows."""
    service = resolved_stack()["services"]["redis"]
    assert suspects(service, [">>> 'appendonly \"perhaps\"'"], ["appendonly"]) == ["redis_settings: appendonly"]
    assert suspects(service, ["maxmemory-policy is wrong"], []) == ["redis_settings: maxmemory-policy"]


def test_what_docker_refuses_is_a_trial_that_failed() -> None:
    """There is no log then; Docker's own words are the reason."""
    refused = outcome(state="absent", refused=True, detail="Minimum memory limit allowed is 6MB", logs=[])
    message = trial_message("pc1", resolved_stack(), {"redis": refused})
    assert "found Minimum memory limit allowed is 6MB; expected it to start" in message
    assert "correct what was changed of redis_*" in message


@pytest.mark.parametrize(("deadlines", "expected"), [([6], 20.0), ([6, 45], 45.0), ([45, 180], 60.0)])
def test_how_long_a_trial_may_take(monkeypatch: pytest.MonkeyPatch, deadlines: list[int], expected: float) -> None:
    """As long as the slowest service may take to start: a trial that is cut short decides nothing."""
    stack = resolved_stack()
    services = {
        name: stack["services"][name] | {"health": stack["services"][name]["health"] | {"deadline": deadline}}
        for name, deadline in zip(stack["services"], deadlines, strict=False)
    }
    given: list[float] = []
    monkeypatch.setattr(trial, "remove_leftovers", lambda *_: None)
    monkeypatch.setattr(trial, "write_volume", lambda *_: {})
    monkeypatch.setattr(trial, "create", lambda *_: SimpleNamespace(start=lambda: None))

    def note(_: Any, __: Any, seconds: float) -> dict[str, Any]:
        given.append(seconds)
        return {}

    monkeypatch.setattr(trial, "wait_for_all", note)
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    client: Any = SimpleNamespace(volumes=SimpleNamespace(create=lambda *_, **__: None))
    specs = {name: ContainerSpec.from_service(its, "ready", "ready") for name, its in services.items()}
    trial.try_out(client, services, specs, dict.fromkeys(services, "sha256:1"), {name: {} for name in services})
    assert given == [expected]


def test_a_slow_start_is_no_fault() -> None:
    """Neo4j may take longer than a trial may, on a busy machine."""
    slow = {"neo4j": outcome(state="unhealthy", seconds=20.0)}
    assert trial_message("pc1", resolved_stack(), slow) == ""
    assert trial_undecided("pc1", resolved_stack(), slow) == [
        "pc1: neo4j: its trial was not healthy after 20 s, and showed no fault: the change is made"
    ]
    assert trial_undecided("pc1", resolved_stack(), {"redis": outcome(healthy=True, state="healthy")}) == []


@pytest.mark.parametrize(
    ("name", "line", "path"),
    [
        ("redis", "# Can't load module from /data/x.so: server aborting", "/data/x.so"),
        (
            "postgresql",
            'FATAL:  could not load root certificate file "/var/lib/postgresql/data/ca.crt": No such file or directory',
            "/var/lib/postgresql/data/ca.crt",
        ),
    ],
)
def test_a_file_in_the_data_volume_is_not_there_in_a_trial(name: str, line: str, path: str) -> None:
    """The volume of the service may well have it: the trial says nothing, and keeps nobody from the change."""
    tried = {name: outcome(logs=[line])}
    assert trial_message("pc1", resolved_stack(), tried) == ""
    assert trial_undecided("pc1", resolved_stack(), tried) == [
        f"pc1: {name}: its trial on empty data ended at {path}, which only the data volume can have: the change is made"
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"logs": ["# Can't chdir to '/data': Permission denied"]},
        {"logs": ["# Can't open the log file: /backup/data/x"]},
        {"logs": ["# Can't load module from /data/x.so: server aborting"], "oom_killed": True},
        {"logs": ["# Can't load module from /data/x.so: server aborting", "still here"], "state": "unhealthy"},
    ],
    ids=["the volume itself", "elsewhere", "too little memory", "slow"],
)
def test_what_is_no_file_in_the_data_volume(changes: dict[str, Any]) -> None:
    """A fault that the data cannot correct stays one."""
    tried = {"redis": outcome(**changes)}
    slow = changes.get("state") == "unhealthy"
    assert bool(trial_message("pc1", resolved_stack(), tried)) is not slow
    assert ["showed no fault" in line for line in trial_undecided("pc1", resolved_stack(), tried)] == [True] * slow


def test_own_words() -> None:
    """What is wrong, not what went well before it; the last words of a log that says nothing is wrong."""
    assert own_words(["ok", "FATAL: no", "done"]) == ["FATAL: no"]
    assert own_words(["one", "", "two"]) == ["one", "two"]
    ready = "ready-ai: chat: found a context of 512 tokens, expected 4096. Next: correct what the settings say."
    assert own_words(["W the slot context exceeds the training context", ready])[-1] == ready


def test_files_arrive_as_they_were_sent() -> None:
    """Any bytes, and their modes."""
    files = {"redis": [File("a/b", b"\x00\xff"), File("c", b"", 0o440)]}
    assert unpack_files(pack_files(files)) == {"redis": {"a/b": (0o400, b"\x00\xff"), "c": (0o440, b"")}}


def test_state_before_anything_was_made() -> None:
    """Nothing is tried where Docker does not answer."""
    stack = resolved_stack()
    assert to_try(stack, absent_state(stack["services"].values(), "none")) == []


def test_extensions_are_tried_before_the_first_start() -> None:
    """Whether the image has them, only a start tells: one that it has not is refused before a volume is made."""
    variables = {"postgresql_databases": [{"name": "shop", "extensions": ["nope"]}]}
    for wanted, tried in ((resolved_stack(), []), (resolved_stack(**variables), ["postgresql"])):
        state = running(resolved_stack())
        state["services"]["postgresql"] = {"exists": False}
        assert make_plan(wanted, state, IMAGES)["tried"] == tried
    said = "postgresql_databases: found the extensions nope, expected some that the image has: hstore"
    refused = outcome(service="postgresql", state="unhealthy", refused=True, detail=said)
    message = trial_message("pc1", resolved_stack(**variables), {"postgresql": refused})
    assert said in message
    assert "Next: correct postgresql_databases, then ./ready up." in message
