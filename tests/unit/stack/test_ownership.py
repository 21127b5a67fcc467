"""Which inventory a stack belongs to: who is refused, who may take it, and that nothing else depends on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ready.docker.plan import make_plan
from ready.docker.removal_plan import removal
from ready.docker.spec import ContainerSpec
from ready.docker.state import absent_state
from ready.host import installed
from ready.secrets.inventory_store import owner_of
from ready.secrets.vault import SecretStore
from ready.stack import ownership
from ready.stack.argument_specs import verb_specs
from ready.stack.definitions import load_definitions, resolve_stack

from tests.unit.host.test_installed import VARIABLES

OURS, THEIRS = "a" * 32, "b" * 32
SEEN = {"id": THEIRS, "inventory": "/home/ann/acme/inventory/hosts.yml", "user": "ann", "host": "laptop"}
HERE = {"inventory": "/srv/inventory/hosts.yml", "user": "bob", "host": "ops1"}


@pytest.fixture(autouse=True)
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the host keep its descriptions below a test's own directory."""
    monkeypatch.setattr(installed, "STACKS", tmp_path / "stacks")
    return tmp_path / "stacks"


def stack(owner: str = OURS, *, known: bool = True, adopts: bool = False) -> dict[str, Any]:
    """Return a resolved stack of an inventory with this owner's id."""
    found = resolve_stack(load_definitions(), VARIABLES) | {"probes": {"directory": "/x", "mark": "m"}}
    return found | {"owner": HERE | {"id": owner, "known": known, "adopts": adopts}}


def state(owner: dict[str, str], *, there: bool = True) -> dict[str, Any]:
    """Return the state of a host that names this owner."""
    found = absent_state(stack()["services"].values(), "") | {"installed": {"owner": owner}}
    found["reachable"] = True
    found["services"]["redis"]["ours"] = there
    return found


def test_who_may_take_a_stack() -> None:
    """Its owner; anybody where the host names none, as before there were owners, or where nothing is left of it."""
    assert ownership.foreign(stack(THEIRS), state(SEEN)) == {}
    assert ownership.foreign(stack(), state({})) == {}
    assert ownership.foreign(stack(""), state({})) == {}
    assert ownership.foreign(stack(), state(SEEN, there=False)) == {}
    assert ownership.foreign(stack(), state({}) | {"reachable": False}) == {}
    assert ownership.foreign(stack("", known=False), state(SEEN)) == {}, "the vault key is lost: destroy must work"


def test_docker_does_not_answer() -> None:
    """Nobody sees the containers then: they are still the other inventory's."""
    unseen = state(SEEN, there=False) | {"reachable": False}
    assert ownership.foreign(stack(), unseen) == SEEN
    assert ownership.foreign_text(stack(), unseen) == ownership.owner_text(SEEN)
    assert ownership.foreign_text(stack(THEIRS), unseen) == ""
    assert "removes data" not in ownership.check(stack(), unseen).next


@pytest.mark.parametrize("owner", [OURS, ""])
def test_another_inventory_is_refused(owner: str) -> None:
    """Also one that has no id yet, such as a fresh clone; the message says whose the stack is."""
    said = ownership.refusal(stack(owner), state(SEEN), "pc1")
    assert said.startswith(
        "pc1: Owner: found the stack ready is that of /home/ann/acme/inventory/hosts.yml of ann on laptop, as last seen"
    )
    assert "Nothing was changed" in said
    assert "--adopt" in said
    assert "destroy" not in said
    assert ownership.refusal(stack(owner, adopts=True), state(SEEN), "pc1") == ""
    assert ownership.check(stack(owner, adopts=True), state(SEEN)).verdict == "pass"


def test_volumes_alone_are_somebodys_too() -> None:
    """Data must not change hands unnoticed."""
    found = state(SEEN, there=False)
    next(iter(found["volumes"].values()))["ours"] = True
    assert ownership.foreign(stack(), found) == SEEN


def test_volumes_whose_inventory_is_lost() -> None:
    """Without containers nothing reads the passwords back: Ready can still remove what is left, by whoever says so."""
    found = state(SEEN, there=False)
    name = next(iter(found["volumes"]))
    found["volumes"][name] |= {"ours": True}
    said = ownership.refusal(stack(), found, "pc1")
    assert "secrets recover" not in said
    assert "--adopt with destroy removes data that nobody needs" in said
    assert ownership.refusal(stack(adopts=True), found, "pc1") == ""
    assert "ready_adopt" in verb_specs()["destroy"]["options"]
    lines = removal(found, stack(adopts=True), {}, volumes=True)["lines"]
    assert lines[0] == f"the stack is that of {ownership.owner_text(SEEN)}"
    assert lines[1].startswith(f"volume {name}")
    assert removal(found, stack(THEIRS), {}, volumes=True)["lines"] == lines[1:]
    found["others"] = [{"name": "ready-old"}]
    assert "secrets recover" in ownership.refusal(stack(), found, "pc1")


def test_the_id_is_made_once_and_travels_with_the_secrets(tmp_path: Path) -> None:
    """Recovered secrets bring it back; another stack in the same file has its own."""
    store = SecretStore.open(tmp_path / "ready_secrets.vault", tmp_path / "key")
    assert store.owner("a") == ""
    assert store.own("a")
    assert store.own("b")
    store.save()
    again = SecretStore.open(store.path, store.key_file)
    assert not again.own("a")
    assert again.owner("a") == store.owner("a") != store.owner("b")
    assert len(again.owner("a")) == 32
    store.path.unlink()
    fresh = SecretStore.open(store.path, store.key_file)
    fresh.recovered("a", {"redis": {"app": "x" * 32}}, "now", again.owner("a"))
    assert SecretStore.open(store.path, store.key_file).owner("a") == again.owner("a")


def test_an_inventory_whose_key_is_lost(tmp_path: Path) -> None:
    """Its id is not known, which is not the same as none."""
    paths = {"ready_secrets_file": str(tmp_path / "vault"), "ready_vault_key_file": str(tmp_path / "key")}
    variables = paths | {"inventory_dir": "/srv/inventory"}
    store = SecretStore.open(tmp_path / "vault", tmp_path / "key")

    def owner() -> dict[str, Any]:
        return owner_of(SecretStore(tmp_path / "vault", tmp_path / "key"), "a", variables, lambda value: value)

    assert (owner()["id"], owner()["known"], owner()["inventory"]) == ("", True, "/srv/inventory")
    store.own("a")
    store.save()
    assert (owner()["id"], owner()["known"]) == (store.owner("a"), True)
    assert not owner()["adopts"]
    assert owner_of(store, "a", variables, lambda value: value, decided=True)["adopts"]
    (tmp_path / "key").unlink()
    assert (owner()["id"], owner()["known"]) == ("", False)


def test_labels_are_compared_nowhere() -> None:
    """A stack of before there were owners, or of one that was adopted, keeps its containers."""
    nothing = absent_state(stack()["services"].values(), "")
    plan = make_plan(stack(), nothing, {})
    made = plan["specs"]["redis"]["labels"]
    assert made["io.ready.owner"] == OURS
    assert {volume["labels"]["io.ready.owner"] for volume in plan["volumes"]} == {OURS}
    wanted = make_plan(stack(THEIRS), nothing, {})["specs"]["redis"]["labels"]
    want = ContainerSpec(labels={key: wanted[key] for key in wanted if key != "io.ready.owner"})
    assert want.diff(ContainerSpec(labels=made)) == {}
    assert "io.ready.owner" not in make_plan(stack(""), nothing, {})["specs"]["redis"]["labels"]


def test_the_host_is_described_once(tmp_path: Path) -> None:
    """Not again because the owner came from elsewhere; another owner's description is changed by `up` alone."""
    environment = tmp_path / "probes"
    environment.mkdir()
    (environment / installed.MARK).write_text("m")

    def describe(of: dict[str, Any], *, adopt: bool = False) -> bool:
        return installed.write_description("ready", installed.stack_description(of), dry_run=False, adopt=adopt)

    def complete(of: dict[str, Any]) -> bool:
        return installed.installation_is_complete(of, {"installed": installed.read_installed(environment, "ready")})

    assert describe(stack(""))
    assert not complete(stack("")), "a verb has described it before the first `up`, which makes the id"
    mine, elsewhere, other = stack(), stack(), stack(THEIRS)
    elsewhere["owner"] = elsewhere["owner"] | {"user": "eve"}
    assert describe(mine)
    assert not describe(elsewhere)
    assert complete(elsewhere)
    assert not complete(other)
    assert not describe(other)
    assert installed.read_installed(environment, "ready")["owner"]["id"] == OURS
    assert describe(other, adopt=True)
    assert complete(other)
    assert installed.read_installed(environment, "ready")["owner"] == HERE | {"id": THEIRS}


def test_a_description_of_an_earlier_version(tmp_path: Path) -> None:
    """It names nobody, and `up` writes it again, without a container in its way."""
    path = installed.stack_path("ready")
    path.parent.mkdir()
    path.write_text(json.dumps({"name": "ready", "services": {"redis": {"name": "redis"}}}))
    assert installed.read_installed(tmp_path / "probes", "ready")["owner"] == {}
    assert not installed.installation_is_complete(
        stack(), {"installed": installed.read_installed(tmp_path / "probes", "ready")}
    )


def test_another_place_for_the_probes_changes_nothing(tmp_path: Path) -> None:
    """An inventory that names another directory for them finds whose the stack is all the same."""
    installed.write_description("ready", installed.stack_description(stack(THEIRS)), dry_run=False)
    for place in ("probes", "elsewhere/probes"):
        found = state({}) | {"installed": installed.read_installed(tmp_path / place, "ready")}
        assert ownership.refusal(stack(), found, "pc1")
