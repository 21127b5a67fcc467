"""A Windows Server without Docker Desktop: site.yml from nothing to services under an engine in the distro.

The distro is a container with a network, and after the run a Docker Engine, of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from pathlib import Path
from typing import Any

import docker
import pytest
from ready.images.manifest import archive_entries
from ready.stack.definitions import load_definitions

from tests.built import image_of
from tests.names import own
from tests.simulator.distro import Distro
from tests.simulator.inside import container_inside
from tests.simulator.installed import SETTINGS
from tests.windows.pcs import site_of

NAME, HOST = own("win-server"), "srv1"
SERVICE = "chromadb"
_COLLECTIONS = """
import sys, urllib.request as http
url = "http://127.0.0.1:8000/api/v2/tenants/default_tenant/databases/default_database/collections"
if sys.argv[1]:
    http.urlopen(http.Request(url, sys.argv[1].encode(), {"Content-Type": "application/json"}))
print(http.urlopen(url).read().decode())
"""


def saved(directory: Path) -> Path:
    """Return a directory of an image's archive, as `images save` makes it of a stack: tests/system/test_images.py."""
    image = docker.from_env(timeout=600).images.get(image_of(SERVICE))
    directory.mkdir()
    with (directory / f"{SERVICE}.tar").open("wb") as file:
        file.writelines(image.save())
    with (directory / f"{SERVICE}.tar").open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    its = {
        "ref": image_of(SERVICE),
        "id": image.id,
        "source": "build",
        "data_format": load_definitions()[SERVICE]["image"]["data_format"]["build"],
        "engine_version": image.labels["io.ready.engine_version"],
    }
    images = archive_entries({SERVICE: its}, {SERVICE: checksum})
    (directory / "manifest.json").write_text(json.dumps({"images": images}))
    return directory


def containers(distro: Distro) -> dict[str, tuple[str, str]]:
    """Return container -> (Id, status) of what the distro's own engine has."""
    code, text = distro.sh("docker ps -aq | xargs -r docker inspect")
    assert code == 0, text
    return {its["Name"][1:]: (its["Id"], its["State"]["Status"]) for its in json.loads(text or "[]")}


def collections(distro: Distro, new: str = "") -> list[str]:
    """Return ChromaDB's collections as a program in the distro finds them, after one was made."""
    body = json.dumps({"name": new}) if new else ""
    asked = f"python3 -c {shlex.quote(_COLLECTIONS)} {shlex.quote(body)}"
    code, text = distro.sh(asked)
    assert code == 0, text
    return [its["name"] for its in json.loads(text)]


def test_server_to_healthy_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice, and once more after the distro was down: its engine starts again, and the data are there."""
    monkeypatch.setenv("ANSIBLE_WSL_STATE_DIR", str(tmp_path / "wsl"))
    variables: dict[str, Any] = {
        "stack_name": NAME,
        "ready_services": [SERVICE],
        "ready_vault_key_file": str(tmp_path / "vault-key"),
        "ready_secrets_file": str(tmp_path / "secrets.vault"),
        "preflight_disk_free": "1g",
        "image_source": "archive",
        "container_images_archive_dir": str(saved(tmp_path / "images")),
        "ansible_python_interpreter": "/usr/bin/python3",
        "of": {HOST: {"docker_backend": "engine"}},  # the distro takes it from its Windows host
    }
    inside = container_inside(f"server-{os.getpid()}", engine=True)
    with site_of(tmp_path, {HOST: "server-2022"}, make_inside=inside) as site:
        first = site.run("site", twins={HOST: {}}, **variables)
        assert first.code == 0, first.why()
        (distro,) = site.hosts[HOST].distros.values()
        before = containers(distro)
        assert {name: status for name, (_, status) in before.items()} == {f"{NAME}-{SERVICE}": "running"}
        for host in (HOST, f"{HOST}-wsl"):
            assert site.evidence(host, "run", NAME)["results"]["outcome"] == "ok"
        server = site.hosts[HOST]
        assert (server.docker, server.docker_users, SETTINGS in server.files) == (None, set(), False)
        assert collections(distro, "kept") == ["kept"]

        site.forget()
        second = site.run("site", twins={HOST: {}}, **variables)
        assert second.code == 0, second.why()
        assert {second.count(host, "changed") for host in (HOST, f"{HOST}-wsl")} == {0}
        assert containers(distro) == before

        distro.terminate()
        third = site.run("site", twins={HOST: {}}, **variables)
        assert third.code == 0, third.why()
        assert containers(distro) == before
        assert collections(distro) == ["kept"]
