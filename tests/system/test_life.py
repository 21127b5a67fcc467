"""The life of a whole stack, in order: check, up, up again, change, rotate, restart, lose the key, destroy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import psycopg
import pytest
from ready.secrets.vault import SecretStore

from tests.names import own
from tests.system.canary import watched
from tests.system.checks import check
from tests.system.conftest import Ready, own_stack
from tests.system.volumes import Anonymous

NAME = own("sys-life")
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]


@pytest.fixture(scope="module")
def anonymous() -> Iterator[Anonymous]:
    """What Docker tells of the volumes that nobody named, from before the first container to after the last one."""
    with Anonymous(NAME) as seen:
        yield seen


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, anonymous: Anonymous) -> Iterator[Ready]:
    """One stack for all tests of this file; they build on each other."""
    with own_stack(tmp_path_factory.mktemp("life"), NAME, SERVICES) as ready:
        yield ready


def secrets_in(life: Ready) -> list[str]:
    """Return every password that the stack has or had."""
    return [password for service in SERVICES for password in life.stack.passwords(service).values()]


def test_check_mode_first(life: Ready) -> None:
    """--check --diff on a virgin inventory runs through, says what would be made, and makes nothing."""
    result = life.run("up", "--check", "--diff")
    assert f"create container {NAME}-neo4j" in result.out
    assert life.stack.identities() == {}
    assert not life.stack.secrets_file.exists()
    assert not (life.directory / "evidence").exists()


def test_up(life: Ready) -> None:
    """From nothing to four healthy services that take data, with no secret shown anywhere at -vvv --diff."""
    result = watched(life, "up", "--diff", "-vvv")
    assert len(life.stack.identities()) == 4
    life.stack.write()
    life.stack.check()
    score = result.text[result.text.find("Readiness of the stack") :][:3000]
    assert "score 0 of" not in score, score


def test_up_again_changes_nothing(life: Ready) -> None:
    """Zero changed, no container restarted; few tasks once Docker itself knows that all is healthy."""
    life.stack.await_docker_health()
    before = life.stack.identities()
    result = life.run("up")
    assert result.changed == 0
    assert life.stack.identities() == before
    assert result.tasks <= 25, result.tasks


def test_parts_of_a_run(life: Ready) -> None:
    """Tags run what they name, and look first where something is changed."""
    looked, reported = (life.run("up", "--", "--tags", tag).text for tag in ("preflight", "report"))
    assert "Preflight of localhost" in looked
    assert "Readiness of the stack" not in looked
    assert "Readiness of the stack" in reported
    assert "Preflight of localhost" not in reported
    life.stack.container("redis").stop()
    assert "Preflight of localhost" in life.run("up", "--", "--tags", "services").text
    assert life.stack.container("redis").status == "running"


def test_what_differs_is_recreated_alone(life: Ready) -> None:
    """More memory for Redis, and PostgreSQL's secret files edited and deleted: both are put right, the rest stays."""
    before = life.stack.identities()
    life.set(redis_memory="300m")
    life.stack.variables["redis_memory"] = "300m"
    vars(life.stack).pop("resolved", None)
    client = docker.from_env()
    image = life.stack.container("postgresql").image.id
    script = "echo edited > /v/secrets/monitor; rm /v/accounts.id"
    editor = client.containers.create(
        image, ["-c", script], entrypoint=["sh"], user="0", volumes={f"{NAME}_postgresql_config": {"bind": "/v"}}
    )
    editor.start()
    assert editor.wait()["StatusCode"] == 0
    editor.remove(v=True)
    result = life.run("up")
    assert "edited or lost" in result.text
    after = life.stack.identities()
    assert {name for name in before if before[name] != after[name]} == {f"{NAME}-redis", f"{NAME}-postgresql"}
    assert life.stack.container("redis").attrs["HostConfig"]["Memory"] == 300 * 2**20
    life.stack.check()


def test_rotation(life: Ready) -> None:
    """New passwords work in every store, old ones do not, data stay."""
    old = {service: life.stack.passwords(service) for service in SERVICES}
    assert "are new: applications need new settings" in life.run("secrets", "rotate").text
    for service in ("postgresql", "neo4j", "redis"):
        new = life.stack.passwords(service)
        assert set(new) == set(old[service])
        assert not set(new.values()) & set(old[service].values())
    life.stack.check()
    for account in ("admin", "app", "monitor", "backup"):
        with life.stack.neo4j(account) as driver:
            driver.verify_connectivity()
        with life.stack.postgresql(account) as connection:
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        life.stack.postgresql(password=old["postgresql"]["app"])


def test_restart_keeps_data(life: Ready) -> None:
    """./ready restart restarts all four and waits for them."""
    before = life.stack.identities()
    life.run("restart")
    after = life.stack.identities()
    assert all(before[name][1] != after[name][1] for name in before)
    life.stack.check()


def test_stop_and_start(life: Ready) -> None:
    """./ready stop stops one service, ./ready start brings it back."""
    life.run("stop", "--service", "redis")
    assert life.stack.container("redis").status == "exited"
    assert life.stack.container("neo4j").status == "running"
    assert "exited" in life.run("status").out
    life.run("start", "--service", "redis")
    life.stack.check()


def test_env(life: Ready) -> None:
    """Settings go to standard output alone; passwords only when asked for."""
    shown = life.run("env")
    assert shown.out.startswith("PGHOST=127.0.0.1\n")
    assert not any(password in shown.out + shown.err for password in secrets_in(life))
    values = json.loads(life.run("env", "--secrets", "--format", "json").out)
    assert values["PGPASSWORD"] == life.stack.passwords("postgresql")["app"]
    with psycopg.connect(values["DATABASE_URL"]) as connection:
        connection.execute("SELECT 1")


def test_env_for_a_container(life: Ready) -> None:
    """Names and ports that are valid in the stack's network, left in a file for an application there."""
    path = life.directory / ".env"
    path.write_text("PGPASSWORD_OF_OLD=kept\n")
    for words in ([], ["--for", "container"]):
        life.run("env", "--secrets", "--output", str(path), *words)
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    values = dict(line.split("=", 1) for line in lines)
    assert len(values) == len(lines)
    assert path.stat().st_mode & 0o777 == 0o600
    image = life.stack.container("postgresql").image.id
    said = docker.from_env().containers.run(
        image, ["-tAc", "SELECT 41 + 1"], entrypoint=["psql"], environment=values, network=NAME, remove=True
    )
    assert said.strip() == b"42"


def test_logs_and_secrets_show(life: Ready) -> None:
    """./ready logs shows lines of the service asked for; ./ready secrets show prints JSON."""
    assert "Ready to accept connections" in life.run("logs", "--service", "redis", "--lines", "20").out
    shown = json.loads(life.run("secrets", "show").out)
    assert shown["redis"]["app"] == {"login": "kailash_app", "password": life.stack.passwords("redis")["app"]}


def test_lost_vault_key_makes_nothing_anew(life: Ready) -> None:
    """Without its key, encrypted secrets are left alone, the message says so, and recovery brings them back."""
    encrypted = life.stack.secrets_file.read_bytes()
    passwords = secrets_in(life)
    key = Path(life.environment["READY_VAULT_KEY_FILE"])
    key.unlink()
    result = life.run("up", code=2)
    assert "the vault key is missing" in result.text
    assert "secrets recover" in result.text
    assert life.stack.secrets_file.read_bytes() == encrypted
    assert not key.exists()
    life.run("secrets", "recover")
    assert secrets_in(life) == passwords
    assert list(life.stack.secrets_file.parent.glob("*.lost-*"))
    assert life.run("up").changed <= 4  # previous passwords are gone from the config volumes
    life.stack.check()


def test_another_inventory_adopts_the_stack(life: Ready, tmp_path: Path) -> None:
    """It asks, no container is made again, and the inventory that had the stack is refused from then on."""
    directory = tmp_path / "other"
    shutil.copytree(life.directory, directory)
    other = replace(life, directory=directory)
    store = SecretStore.open(directory / life.stack.secrets_file.relative_to(life.directory), life.stack.key_file)
    store.own(NAME, "0" * 32)
    store.save()
    before = life.stack.identities()
    refused = other.run("up", "--adopt", code=2)
    assert f"{life.inventory}/hosts.yml of " in refused.text
    assert "Nothing was changed. Found no terminal to ask" in refused.text
    other.run("up", "--adopt", "--yes")
    assert f"{other.inventory}/hosts.yml of " in life.run("destroy", "--volumes", "--yes", code=2).text
    asked = life.run("destroy", "--adopt", code=2)
    assert f"the stack is that of {other.inventory}/hosts.yml of " in asked.text
    assert "Nothing was removed" in asked.text
    assert life.stack.identities() == before
    shutil.copyfile(store.path, life.stack.secrets_file)  # who owns the stack is kept with the secrets


def test_destroy_asks(life: Ready) -> None:
    """Without a yes nothing is removed; what would go is named."""
    before = life.stack.identities()
    result = life.run("destroy", "--volumes", code=2)
    assert f"volume {NAME}_postgres_data" in result.text
    assert "Nothing was removed." in result.text
    assert life.stack.identities() == before


def test_destroy_keeps_data_and_lost_secrets_are_not_replaced(life: Ready) -> None:
    """Containers go, volumes stay; without the secrets `up` refuses."""
    life.run("destroy", "--yes")
    assert life.stack.identities() == {}
    result = life.run("check", code=2)
    assert f"the stack {NAME} is absent: found none of its containers; its volumes are there. Next:" in result.text
    assert not any(f" {name} " in result.text for name in SERVICES)  # no row for each thing that is not there
    health = json.loads((life.directory / "evidence" / NAME / "localhost" / "health.json").read_text())
    assert health["verdict"] == "fail"
    assert f"found no container of the stack {NAME}; expected one with a log" in life.run("logs", code=2).text
    aside = life.stack.secrets_file.with_suffix(".aside")
    life.stack.secrets_file.rename(aside)
    result = life.run("up", code=2)
    assert "no passwords for them" in result.text
    assert not life.stack.secrets_file.exists()
    assert life.stack.identities() == {}
    aside.rename(life.stack.secrets_file)


def test_data_with_another_password_are_named(life: Ready) -> None:
    """Neo4j ignores a new password for old data: the volume and the way out are named; the old secrets are one."""
    good = life.stack.secrets_file.read_bytes()
    life.stack.secrets_file.unlink()
    store = SecretStore.open(life.stack.secrets_file, life.stack.key_file)
    store.make_missing(NAME, life.stack.resolved["services"])
    life.set(ready_services=["neo4j"], stack_name=NAME)
    result = life.run("up", code=2)
    assert f"the volume {NAME}_neo4j_data" in result.text
    assert "another password" in result.text
    life.stack.secrets_file.write_bytes(good)
    life.set(ready_services=SERVICES)
    life.run("up")
    life.stack.check()


def test_destroy_everything(life: Ready, anonymous: Anonymous) -> None:
    """With --volumes --yes nothing of the stack is left, nor of what its whole life, a check too, made by the way."""
    assert not check(life, ("health", "security")).failed
    description = Path("/opt/ready/stacks") / f"{NAME}.json"
    assert description.exists()
    life.run("destroy", "--volumes", "--yes")
    client = docker.from_env()
    wanted: dict[str, Any] = {"label": f"io.ready.stack={NAME}"}
    assert client.containers.list(all=True, filters=wanted) == []
    assert client.volumes.list(filters=wanted) == []
    assert client.networks.list(filters=wanted) == []
    assert not description.exists()
    # Images have VOLUME lines, and each container that doesn't mount there gets a volume without a name.
    seen = anonymous.volumes()
    assert seen, "nothing of the stack was seen to have such a volume: this would not have found one that stays"
    assert seen & {str(item.name) for item in client.volumes.list()} == set()
