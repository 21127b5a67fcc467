"""Keep what a version leaves on a host, and put it back: `python -m tests.compatibility.kept ARCHIVE` in its checkout.

The stack is Redis alone, on a separate port, with one key, a backup set, timers and evidence.
Everything has the fixed names and paths below, since settings and timers hold them. The passwords and the vault key in
an archive were made for it alone.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import docker
from docker.types import EndpointConfig

from tests.cleanup import remove

ROOT = Path(__file__).resolve().parents[2]
NAME = "kept"
PORT = 6390
DIRECTORY = Path("/var/tmp/ready-kept")  # fixed: settings and timers in an archive name it
INVENTORY, KEY_FILE, REPOSITORY = DIRECTORY / "inventory", DIRECTORY / "vault-key", DIRECTORY / "repository"
EVIDENCE = DIRECTORY / "evidence"
#: What else on the host is the stack's, as patterns.
HOST = (
    f"etc/ready/backup/{NAME}",
    f"var/lib/ready/backup/{NAME}",
    f"etc/cron.d/ready-*-{NAME}",
    f"opt/ready/backup/{NAME}.pyz",
    f"opt/ready/stacks/{NAME}.json",
)
#: Labels that hold what depends on the machine: the ids and recipe of its own image.
OF_THE_IMAGE = ("io.ready.image_id", "io.ready.recipe", "io.ready.engine_version", "io.ready.source")


def ready(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a verb of this checkout's launcher on the kept inventory; it must end with this code."""
    verb = [word for word in words if not word.startswith("-")]
    command = [str(ROOT / "ready"), *verb, "-i", str(INVENTORY), *words[len(verb) :]]
    environment = os.environ | {"READY_VAULT_KEY_FILE": str(KEY_FILE)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=900)
    print(f"{words}: {result.returncode}\n{result.stdout[-6000:]}\n{result.stderr[-6000:]}")
    assert result.returncode == code, words
    return result


def ask(*words: str, account: str = "app", login: str = "kailash_app") -> str:
    """Ask Redis as the application does, or another account; return the answer."""
    command = f"REDISCLI_AUTH=$(cat /run/ready/secrets/{account}) redis-cli --user {login} {' '.join(words)}"
    container = docker.from_env().containers.get(f"{NAME}-redis")
    return container.exec_run(["sh", "-c", command]).output.decode().strip()  # type: ignore[union-attr]


def on_host() -> list[Path]:
    """Return what the host keeps of the stack, but containers, volumes and networks."""
    return [path for pattern in HOST for path in sorted(Path("/").glob(pattern))]


def forget() -> None:
    """Remove everything of the stack from the host."""
    remove(NAME)
    for path in [*on_host(), DIRECTORY]:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, name: str, document: Any) -> None:
    content = json.dumps(document, indent=1, sort_keys=True).encode()
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def keep(target: Path) -> None:
    """Make the stack with this checkout, use it, and write the archive."""
    forget()
    DIRECTORY.mkdir()
    subprocess.run([ROOT / "ready", "init", DIRECTORY], check=True, capture_output=True)
    variables = {
        "stack_name": NAME,
        "ready_services": ["redis"],
        "redis_port": PORT,
        "backup_repository": str(REPOSITORY),
        "backup_schedule": "daily",
    }
    (INVENTORY / "group_vars" / "all" / "kept.yml").write_text(json.dumps(variables))
    ready("up")
    client = docker.from_env()
    container = client.containers.get(f"{NAME}-redis")
    assert ask("set", "kept", "42") == "OK"
    ready("backup")
    ready("check", "--only=health,drift")
    ready("stop")
    with tarfile.open(target, "w:gz") as archive:
        for path in [DIRECTORY, *on_host()]:
            archive.add(path, f"host{path}")
        container.reload()
        volumes = []
        for mount in container.attrs["Mounts"]:
            volume = client.volumes.get(mount["Name"])
            volumes.append({"name": volume.name, "labels": volume.attrs["Labels"]})
            archive.add(volume.attrs["Mountpoint"], f"volumes/{volume.name}")
        network = client.networks.get(NAME)
        endpoint = container.attrs["NetworkSettings"]["Networks"][NAME]
        _add(archive, "docker.json", {
            "config": {key: its for key, its in container.attrs["Config"].items() if key != "Hostname"},
            "host_config": container.attrs["HostConfig"],
            "aliases": [alias for alias in endpoint["Aliases"] if alias not in str(container.id)],
            "network_labels": network.attrs["Labels"],
            "volumes": volumes,
        })  # fmt: skip
    forget()


def put_back(archive: Path, image: str) -> str:
    """Put the stack back on this host and start it, on an image of this machine; return the container's id.

    Args:
        archive: as `keep` made it.
        image: tag of Redis' image here; what the container's labels say of its image is taken from it.
    """
    forget()
    client = docker.from_env()
    with tarfile.open(archive) as opened:
        known = json.load(opened.extractfile("docker.json"))  # type: ignore[arg-type]
        members = opened.getmembers()
        for volume in known["volumes"]:
            made = client.volumes.create(volume["name"], labels=volume["labels"])
            prefix = f"volumes/{volume['name']}"
            for member in members:
                if member.name == prefix or member.name.startswith(f"{prefix}/"):
                    inside = member.name.removeprefix(prefix).lstrip("/")
                    opened.extract(member.replace(name=inside or "."), made.attrs["Mountpoint"], filter="fully_trusted")
        for member in members:
            if member.name.startswith("host/"):
                opened.extract(member.replace(name=member.name.removeprefix("host/")), "/", filter="fully_trusted")
    own = client.images.get(image)
    labels = {key: value for key, value in known["config"]["Labels"].items() if key not in OF_THE_IMAGE}
    labels |= {"io.ready.image_id": str(own.id)} if "io.ready.image_id" in known["config"]["Labels"] else {}
    config = known["config"] | {"Image": image, "Labels": labels}
    client.networks.create(NAME, driver="bridge", labels=known["network_labels"])
    network = {"EndpointsConfig": {NAME: EndpointConfig(client.api.api_version, aliases=known["aliases"])}}
    created = client.api.create_container_from_config(  # type: ignore[no-untyped-call]
        config | {"HostConfig": known["host_config"], "NetworkingConfig": network}, f"{NAME}-redis"
    )
    client.api.start(created["Id"])
    return str(created["Id"])


if __name__ == "__main__":
    keep(Path(sys.argv[1]).resolve())
