"""A site's own models: what of the inventory is refused, and what follows from it for plan, drift and backups."""

from __future__ import annotations

from typing import Any

import pytest
from ready.backups.data_services import with_data
from ready.backups.results import backup_result
from ready.checks.report import drift_result
from ready.common.labels import LABEL_ENGINE, LABEL_HOLDS, LABEL_MODEL, LABEL_SOURCE, LABEL_STACK
from ready.common.verdict import FAIL, PASS
from ready.docker.drift import summary
from ready.docker.plan import bound_sources, make_plan, settled, to_try
from ready.docker.removal_plan import removal
from ready.docker.spec import ContainerSpec
from ready.docker.start_failures import trial_message
from ready.docker.state import absent_state
from ready.docker.trial import trial_spec
from ready.docker.wait import Readiness
from ready.preflight.data import check_volumes
from ready.stack import models
from ready.stack.definitions import DefinitionError
from ready.upgrades.compatibility import decide, load, recorded, version_rows

from tests.unit.conftest import resolved_stack

SHA = "ab" * 32
OTHER = "cd" * 32
CHAT = {"name": "Own-1B", "file": "/srv/models/own.gguf", "sha256": SHA}
EMBEDDING = {"name": "Own-E", "url": "https://u:p4ssw0rd@models.example:8443/e.gguf?token=t0k3n", "sha256": OTHER}
IMAGES = {
    name: {"ref": f"ready/{name}:1", "id": f"sha256:{name}", "source": "build", "data_format": "none"}
    for name in ("ai", "gateway", "redis")
}


def stack_with(**wanted: Any) -> dict[str, Any]:
    """Return a stack of redis and ai with these models by role."""
    return resolved_stack(ready_services=["redis", "ai"], **({"ai_models": wanted} if wanted else {}))


def running(stack: dict[str, Any], *held: str, uncleared: bool = False) -> dict[str, Any]:
    """Return the state of a stack that runs as it should, with copies of these models."""
    everything = {**stack["services"], **stack["sidecars"]}
    state = absent_state(everything.values(), "")
    state.update(reachable=True, network={"exists": True, "ours": True})
    for name, its in everything.items():
        image = f"sha256:{its.get('image_of', name)}"
        state["services"][name] = {
            "exists": True, "ours": True, "running": True, "status": "running", "health": "healthy",
            "image": {"id": image, "ref": "x", "present": True},
            "config": ContainerSpec.from_service(its, "ready", "ready", image).as_dict(),
            "files_hash": its.get("config_hash"),
        }  # fmt: skip
    state["services"]["ai"]["models"] = {"held": list(held), "uncleared": uncleared}
    for name, volume in state["volumes"].items():
        labels = {LABEL_SOURCE: "build"} if name == "ready_redis_data" else {}
        labels |= {LABEL_HOLDS: "copies"} if name == "ready_ai_models" else {}
        volume.update(exists=True, ours=True, labels={LABEL_STACK: "ready", **labels})
    return state


def faults(wanted: Any) -> str:
    """Return what resolving with this `ai_models` complains about."""
    with pytest.raises(DefinitionError) as caught:
        resolved_stack(ready_services=["ai"], ai_models=wanted)
    return str(caught.value)


def test_the_image_has_models() -> None:
    """Without anything in the inventory both are files of the image, and nothing is copied."""
    ai = stack_with()["services"]["ai"]
    assert {role: its["file"].rpartition("/")[0] for role, its in ai["models"].items()} == {
        "chat": "/opt/ready-ai/models",
        "embedding": "/opt/ready-ai/models",
    }
    assert models.own_models(ai) == {}
    assert models.model_names({"services": {"ai": ai}})["ai"]["chat"]["from"] == "the image"


def test_own_models() -> None:
    """An own model has its name in the volume; the other role keeps that of the image."""
    ai = stack_with(chat=CHAT | {"sha256": SHA.upper()})["services"]["ai"]
    assert ai["models"]["chat"] == {
        "name": "Own-1B",
        "file": f"/models/{SHA}.gguf",
        "sha256": SHA,
        "source": {"file": "/srv/models/own.gguf"},
    }
    assert ai["models"]["embedding"]["name"] == "all-MiniLM-L6-v2"
    both = stack_with(chat=CHAT, embedding=EMBEDDING | {"dimensions": "768"})["services"]["ai"]["models"]
    assert both["embedding"]["dimensions"] == 768


def test_no_secret_of_a_url_is_in_the_stack() -> None:
    """The resolved stack is a fact, and a file on the host: passwords and tokens stay in the inventory."""
    wanted = {"embedding": EMBEDDING | {"dimensions": 384}}
    stack = stack_with(**wanted)
    assert "p4ssw0rd" not in str(stack)
    assert "t0k3n" not in str(stack)
    assert stack["services"]["ai"]["models"]["embedding"]["source"] == {
        "url": "https://***@models.example:8443/e.gguf?***"
    }
    assert models.model_urls(wanted) == {OTHER: EMBEDDING["url"]}


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ([], "ai_models: found a list, expected a mapping"),
        ({"chatt": CHAT}, "ai_models: found chatt, expected some of chat, embedding"),
        ({"chat": "own.gguf"}, "ai_models.chat: found .*, expected a mapping"),
        (
            {"chat": CHAT | {"path": "/x"}},
            "ai_models.chat: found the unknown key path, expected some of name, file, url",
        ),
        ({"chat": CHAT | {"dimensions": 3}}, "found the unknown key dimensions"),
        ({"chat": {**CHAT, "name": ""}}, "name: found '', expected the name that clients ask for"),
        ({"chat": {**CHAT, "name": "a b"}}, "name: found 'a b'"),
        ({"chat": {"name": "Own-1B"}}, "found neither file nor url, expected one of file and url"),
        ({"chat": CHAT | {"url": "https://x/y"}}, "found file and url, expected one of file and url"),
        ({"chat": CHAT | {"file": "own.gguf"}}, "file: found 'own.gguf', expected an absolute path on the host"),
        ({"chat": CHAT | {"file": ["/x"]}}, "file: found a list, expected a text"),
        ({"chat": CHAT | {"sha256": SHA[1:]}}, "sha256: found '[ab]*', expected the 64 hexadecimal digits"),
        ({"chat": {"name": "Own-1B", "file": "/x"}}, "sha256: found None"),
        ({"embedding": EMBEDDING}, "dimensions: found None, expected how many numbers"),
        ({"embedding": EMBEDDING | {"dimensions": 0}}, "dimensions: found 0"),
        ({"embedding": EMBEDDING | {"dimensions": True}}, "dimensions: found True"),
    ],
)
def test_refused(wanted: Any, complaint: str) -> None:
    """What can't be a model is refused with what was found, what was expected and what comes next."""
    import re

    assert re.search(complaint, faults(wanted)), faults(wanted)


@pytest.mark.parametrize(
    "url", ["ftp://u:p4ss@h/x", "file:///etc/passwd", "https:///x", "http://h:99999/x", "https://h/ x"]
)
def test_refused_urls(url: str) -> None:
    """Only http and https are asked, and a refusal repeats no password."""
    found = faults({"chat": {"name": "Own-1B", "url": url, "sha256": SHA}})
    assert "expected an http or https URL" in found
    assert "p4ss" not in found


def test_the_volume_is_read_only_and_holds_no_data() -> None:
    """The server reads its models; the volume has no data format, no source, and no part in backups and upgrades."""
    stack = stack_with(chat=CHAT)
    ai = stack["services"]["ai"]
    assert (ContainerSpec.from_service(ai, "ready", "ready").volumes or {})["/models"] == "ready_ai_models:ro"
    plan = make_plan(stack, absent_state([*stack["services"].values(), *stack["sidecars"].values()], ""), IMAGES)
    labels = {item["name"]: item["labels"] for item in plan["volumes"]}
    assert labels["ready_ai_models"][LABEL_HOLDS] == "copies"
    assert LABEL_SOURCE not in labels["ready_ai_models"]
    assert LABEL_SOURCE in labels["ready_redis_data"]
    assert with_data(stack) == ["redis"]
    state = running(stack, SHA)
    assert bound_sources(state) == {"redis": "build"}
    assert recorded(ai, state) == {}
    assert check_volumes({**stack, "services": {"ai": ai}, "image_source": "auto"}, state, {}).verdict == PASS


def test_destroy_says_that_copies_come_back() -> None:
    """Only data are lost with their volume."""
    stack = stack_with(chat=CHAT)
    lines = removal({**running(stack), "others": []}, stack, {}, volumes=True)["lines"]
    assert "volume ready_ai_models (-): copies, which up makes again" in lines
    assert "volume ready_redis_data (-): its data are lost" in lines


def test_drift_names_the_model() -> None:
    """A container that serves another model differs in a label that says which."""
    have = ContainerSpec.from_service(stack_with()["services"]["ai"], "ready", "ready")
    want = ContainerSpec.from_service(stack_with(chat=CHAT)["services"]["ai"], "ready", "ready")
    assert (want.labels or {})[f"{LABEL_MODEL}chat"] == "Own-1B@abababababab"
    assert summary(want.diff(have)) == [
        "labels io.ready.model.chat: found SmolLM2-135M-Instruct@b179c9523d0e, expected Own-1B@abababababab"
    ]


def test_plan_copies_what_is_missing() -> None:
    """Only a model that is not in the volume is copied; a service that nothing is done to has no part."""
    stack = stack_with(chat=CHAT)
    plan = make_plan(stack, running(stack), IMAGES)
    assert plan["models"] == ["ai"]
    assert plan["lines"] == ["have the model Own-1B@abababababab of /srv/models/own.gguf in ready_ai_models"]
    assert models.services_with_missing_models(stack, running(stack)) == ["ai"]
    there = running(stack, SHA)
    assert make_plan(stack, there, IMAGES)["models"] == []
    assert models.services_with_missing_models(stack, there) == []
    assert settled(stack, there)
    assert not settled(stack, running(stack))


def test_another_model_is_tried_and_the_old_one_may_come_back() -> None:
    """Moving to another model recreates the container, after a trial, and clears the volume when that is healthy."""
    before = stack_with()
    after = stack_with(chat=CHAT)
    before["services"]["ai"]["config_hash"], after["services"]["ai"]["config_hash"] = "old", "new"
    state = running(before)
    plan = make_plan(after, state, IMAGES)
    assert plan["actions"]["ai"] == "recreate"
    assert plan["kept"] == ["ai"]
    assert to_try(after, state) == ["ai"]
    assert plan["models"] == ["ai"]
    # Back to that of the image: nothing to copy, and what was copied is to go.
    back = make_plan(before, running(after, SHA), IMAGES)
    assert back["models"] == ["ai"]
    assert not any("have the model" in line for line in back["lines"])


def test_a_killed_run_is_cleared_after() -> None:
    """A copy whose model the inventory took back would stay for ever otherwise."""
    stack = stack_with()
    plan = make_plan(stack, running(stack, uncleared=True), IMAGES)
    assert plan["models"] == ["ai"]
    assert plan["lines"] == ["remove from ready_ai_models the models that nothing names"]


def test_trial_reads_the_copies() -> None:
    """A trial has empty data, and the models that it is about."""
    stack = stack_with(chat=CHAT)
    ai = stack["services"]["ai"]
    wanted = trial_spec(ai, ContainerSpec(name="ready-ai", labels={}), "sha256:x")
    assert wanted.volumes == {"/run/ready": "ready_ai_config_tried:ro", "/models": "ready_ai_models:ro"}
    assert wanted.anonymous == []


def test_trial_that_ends_at_a_model_is_a_fault() -> None:
    """Of a file in a data volume a trial can't tell, since its own are empty; of a model it can."""
    stack = stack_with(chat=CHAT)
    log = f"ready-ai: chat: found SHA-256 {OTHER} of /models/{SHA}.gguf, expected {SHA}. Next: correct it"
    outcome = vars(Readiness("ai", state="exited", seconds=1.0, detail="exit code 1", logs=[log]))
    assert f"/models/{SHA}.gguf" in trial_message("pc1", stack, {"ai": outcome})


def test_preflight() -> None:
    """A file that does not fit, or no room for its copy, is a fault before anything is changed."""
    facts: dict[str, Any] = {"disk": {"docker": {"free": 3 << 30, "path": "/var/lib"}}, "docker": {"local": True}}
    fits = {"model": "Own-1B@abababababab", "bytes": 2 << 30, "fault": ""}
    assert models.check({}, facts) == []
    assert models.check({SHA: fits}, facts)[0].verdict == PASS
    full = models.check({SHA: fits, OTHER: fits | {"bytes": 1}}, facts)[0]
    assert full.verdict == FAIL
    assert full.found == "3,072 MiB free at /var/lib"
    assert "2,048 MiB for the copies" in full.expected
    assert models.check({SHA: fits | {"bytes": 9 << 40}}, facts | {"docker": {"local": False}})[0].verdict == PASS
    wrong = models.check({SHA: fits, OTHER: fits | {"fault": "/x: found no such file"}}, facts)[0]
    assert (wrong.verdict, wrong.found) == (FAIL, "Own-1B@abababababab: /x: found no such file")


def manifest(**more: Any) -> dict[str, Any]:
    """Return what is said of a manifest."""
    return {"id": "S", "level": "fuzzy", "skew_seconds": 0, "parts": {}, "stateless": ["ai"], **more}


def test_backup_says_that_it_keeps_no_state() -> None:
    """The set names the models, and has none."""
    stack = stack_with(chat=CHAT)
    found = {
        "manifest": manifest(models=models.model_names(stack)),
        "verdict": "pass", "proof": {}, "healed": [], "warnings": [], "repository": {"location": "/r"}, "seconds": 1,
    }  # fmt: skip
    assert (
        "ai: keeps no state; the set names its models and does not contain them: Own-1B abababababab, "
        "all-MiniLM-L6-v2 44121723ae8d"
    ) in backup_result(found).next


def test_restore_says_which_model_is_lacking() -> None:
    """On a machine with the same model nothing is said, nor of a set that names none."""
    made = manifest(models=models.model_names(stack_with(chat=CHAT)))
    assert models.models_not_in_stack(made, stack_with(chat=CHAT | {"file": "/elsewhere.gguf"})) == []
    assert models.models_not_in_stack(manifest(), stack_with()) == []
    [line] = models.models_not_in_stack(made, stack_with())
    assert line.startswith("ai: set S was made beside the chat model Own-1B@abababababab (from /srv/models/own.gguf)")
    assert "found SmolLM2-135M-Instruct@b179c9523d0e here" in line
    assert len(models.models_not_in_stack(made, resolved_stack(ready_services=["redis"]))) == 2


def test_versions_know_a_service_without_data() -> None:
    """Its image says what runs; nothing is moved, and what takes another image is said."""
    stack = stack_with()
    state = running(stack)
    state["services"]["ai"]["image"]["labels"] = {LABEL_ENGINE: "1"}
    decided = decide(stack["services"]["ai"], state, load())
    assert (decided.action, decided.found, decided.reason) == (
        "none",
        "1",
        "it keeps no data: up --rebuild takes today's image",
    )
    row = version_rows(stack, state, {}, load(), "2026-01-31")[1]
    assert (row["service"], row["running"], row["next"]) == ("ai", "1", "-")


def test_copies_that_nobody_names_can_go() -> None:
    """Of a service that is switched off the copies are no data that it would find again."""
    without = resolved_stack(ready_services=["redis"])
    state = absent_state(without["services"].values(), "")
    state["volumes"] = {
        f"ready_{name}": {"exists": True, "ours": True, "service": name, "labels": {LABEL_STACK: "ready", **more}}
        for name, more in (("ai", {LABEL_HOLDS: "copies"}), ("neo4j", {}))
    }
    assert drift_result(without, state).next[1:] == [
        "Next: name ai in ready_services again: the volume ready_ai holds copies, which up would make again.",
        "Next: name neo4j in ready_services again: the volume ready_neo4j holds its data.",
    ]
