# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recipes, contexts, and what a failed build is reported as. Real builds are in tests/images."""

from __future__ import annotations

import base64
import io
import re
import tarfile
from pathlib import Path

import pytest
from ready.images.build import engine_version
from ready.images.build_failures import explain, without_url_credentials
from ready.images.class_archive import SCRIPT
from ready.images.recipe import (
    build_context,
    image_reference,
    pack_recipe,
    read_recipe,
    recipe_hash,
    suite_of,
    unpack_recipe,
)
from ready.stack.definitions import load_definitions

ROOT = Path(__file__).resolve().parents[3]
FILES = {
    "base/Containerfile": b"b",
    "base/shared/stage": b"#!/bin/sh\n",
    "redis/Containerfile": b"r",
    "redis/run": b"x",
}


def test_recipe_is_the_images_and_the_bases_files() -> None:
    """A changed file of either is another recipe; another image's or a host's setting is not."""
    recipe = recipe_hash(FILES, "redis")
    assert recipe != recipe_hash({**FILES, "redis/run": b"y"}, "redis")
    assert recipe != recipe_hash({**FILES, "base/shared/stage": b"y"}, "redis")
    assert recipe == recipe_hash({**FILES, "neo4j/Containerfile": b"y"}, "redis")
    assert recipe_hash(FILES, "base") == recipe_hash({**FILES, "redis/run": b"y"}, "base")
    assert image_reference("redis", "7", recipe) == f"ready/redis:7-{recipe[:12]}"


def test_context() -> None:
    """The image's files at the top, the shared tools and the host's settings beside them; the same bytes each time."""
    first = build_context(FILES, "redis", {"env": "a=b\n"})
    assert first == build_context(dict(reversed(FILES.items())), "redis", {"env": "a=b\n"})
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        modes = {member.name: member.mode for member in archive}
    assert modes == {"Containerfile": 0o644, "run": 0o644, "shared/stage": 0o755, "host/env": 0o644}


def test_pack_and_unpack() -> None:
    """What the action plugin packs is what the module has."""
    assert unpack_recipe(base64.b64encode(pack_recipe(FILES)).decode()) == FILES


LINES = [(name, line) for name, item in load_definitions().items() for line in item["image"].get("lines", {})]


@pytest.mark.parametrize(
    ("name", "line"), [("base", ""), *((name, "") for name in load_definitions()), *LINES], ids="-".join
)
def test_recipes_of_the_repository(name: str, line: str) -> None:
    """Every recipe is complete, marks its stages for removal, and names no registry."""
    files = read_recipe(ROOT / "images", name, line)
    containerfile = files[f"{name}/Containerfile"].decode()
    assert f"LABEL io.ready.stage={name}\n" in containerfile
    froms = re.findall(r"(?m)^FROM (\S+)(?: AS (\S+))?", containerfile)
    known = {"${BASE}", "${BOOTSTRAP}", "scratch", *(stage for _, stage in froms)}
    assert {source for source, _ in froms} <= known


#: What steps may run. They have the host's network, so a server or a client is none of it: what needs to run the engine
#: is archive.sh. A program that is added here has been looked at.
STEPS = {
    "/build/stage", "/build/unpack.sh", "groupadd", "useradd", "groupmod", "usermod", "chown", "install", "echo", "sed",
    "rm", "cp", "localedef", "set", ".", "python3 -m pip",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "line"), [("base", ""), *((name, "") for name in load_definitions()), *LINES], ids="-".join
)
def test_steps_start_no_server(name: str, line: str) -> None:
    """No step of a build starts a server or speaks to one: each would do so on the host."""
    files = read_recipe(ROOT / "images", name, line)
    text = re.sub(r"(?m)^#.*\n", "", files[f"{name}/Containerfile"].decode()).replace("\\\n", " ")
    commands = [
        re.sub(r"^(\w+=\S+ )+", "", " ".join(command.split()))
        for step in re.findall(r"(?m)^RUN (.*)", text)
        for command in step.split("&&")
    ]
    assert commands
    assert [command for command in commands if not any(f"{command} ".startswith(f"{known} ") for known in STEPS)] == []
    assert SCRIPT not in text
    for path in {f"base/shared/{Path(word).name}" for word in STEPS} | {f"{name}/unpack.sh"}:
        assert not re.search(r"(?<![&<>|])&\s*$", files.get(path, b"").decode(), re.MULTILINE), path


@pytest.mark.parametrize(("name", "line"), LINES)
def test_a_release_line_is_a_recipe_of_its_own(name: str, line: str) -> None:
    """It differs from the usual line, which knows nothing of it; no file of its directory is in vain."""
    usual, other = read_recipe(ROOT / "images", name), read_recipe(ROOT / "images", name, line)
    assert recipe_hash(usual, name) == recipe_hash(read_recipe(ROOT / "images", name, "no such line"), name)
    assert recipe_hash(usual, name) != recipe_hash(other, name)
    own = {path for path in (ROOT / "images" / f"{name}-{line}").rglob("*") if path.is_file()}
    assert {path for path in other if other[path] != usual.get(path)} == {
        f"{name}/{path.relative_to(ROOT / 'images' / f'{name}-{line}')}" for path in own
    }


def test_suite() -> None:
    """A Containerfile may name the Debian release it stands on."""
    assert suite_of(FILES, "redis") == "bookworm"
    assert suite_of({"redis/Containerfile": b"# Redis\nARG SUITE=trixie\nARG BASE\n"}, "redis") == "trixie"
    assert suite_of(read_recipe(ROOT / "images", "postgresql", "17"), "postgresql") == "trixie"


def test_unknown_recipe() -> None:
    """A name without a directory is said so."""
    with pytest.raises(FileNotFoundError, match="no such image recipe"):
        read_recipe(ROOT / "images", "mysql")


#: Recorded last lines of real failures.
RECORDED = [
    ("hash mismatch", "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."),
    ("hash mismatch", "jna-5.13.0.jar: FAILED\nsha256sum: WARNING: 1 computed checksum did NOT match"),
    ("hash mismatch", "E: Failed to fetch http://m.test/x.deb  Hash Sum mismatch"),
    ("package index not reachable", "E: Failed to fetch http://m.test/dists/InRelease  Could not connect to m.test:80"),
    (
        "package index not reachable",
        "WARNING: Retrying: NewConnectionError\nERROR: No matching distribution found for a==1",
    ),
    ("package not found", "ERROR: No matching distribution found for chromadb==1.5.9"),
    ("package index not reachable", "Could not transfer artifact org.neo4j:neo4j:pom:5.12.0 from/to central"),
    ("package index not reachable", "E: Failed getting release file http://m.test/debian/dists/bookworm/Release"),
    (
        "certificate not trusted",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get issuer",
    ),
    (
        "certificate not trusted",
        "PKIX path building failed: unable to find valid path; Could not transfer",
    ),
    ("disk full", "dpkg: error processing archive x.deb: No space left on device\nE: Failed to fetch"),
    ("build step failed", "E: Sub-process /usr/bin/dpkg returned an error code (1)"),
]


@pytest.mark.parametrize(("kind", "output"), RECORDED)
def test_causes(kind: str, output: str) -> None:
    """The cause is recognised; the message names host, image, step, last lines and the next step."""
    error = explain("pc1", "neo4j", "step 7/24", ["earlier", *output.splitlines()])
    assert error.kind == kind
    message = str(error)
    assert message.startswith(f"pc1: building image neo4j, step 7/24: {kind}. Next: ")
    assert "run again: finished steps are kept" in message
    assert output.splitlines()[-1] in message


def test_the_lines_that_say_why() -> None:
    """A message has them and the last one, however many warnings a JVM printed in between."""
    why = [
        "ERROR Failed to start Neo4j on 0.0.0.0:7474.",
        "Caused by: java.net.BindException: Address already in use",
        "a line without a word of trouble",
    ]
    warnings = [f"[9.{number}s][warning][cds] Skipping org/x/C{number}: Old class: failed" for number in range(200)]
    end = "The command '/bin/sh -c /tmp/x' returned a non-zero code: 1"
    shown = str(explain("pc1", "neo4j", "step 7/24", [*why, *warnings, end])).splitlines()[1:]
    assert shown[:3] == [f"  | {line}" for line in why]
    assert shown[-1] == f"  | {end}"
    assert len(shown) == 12


def test_a_cause_comes_before_other_errors() -> None:
    """What names a known cause is shown although many other errors follow; of equals, the later are."""
    errors = [f"error {number}" for number in range(50)]
    full = "tar: write: No space left on device"
    error = explain("pc1", "redis", "step 7/24", [full, *errors, "the end"])
    assert error.kind == "disk full"
    assert str(error).splitlines()[1:] == [f"  | {line}" for line in [full, *errors[-10:], "the end"]]


def test_no_secret_in_messages() -> None:
    """An address's password is never repeated."""
    assert (
        without_url_credentials("fetch https://bob:hunter2@index.test/simple/x")
        == "fetch https://***@index.test/simple/x"
    )
    assert "hunter2" not in str(explain("h", "n", "s", ["E: Failed to fetch http://bob:hunter2@m.test/x"]))


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)", "15.20"),
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", "7.0.15"),
        ("5.12.0\n", "5.12.0"),
    ],
)
def test_engine_version(output: str, version: str) -> None:
    """What the engines print."""
    assert engine_version(output) == version


def test_no_engine_version() -> None:
    """A program that died says no number."""
    with pytest.raises(ValueError, match="no version number"):
        engine_version("Killed")
