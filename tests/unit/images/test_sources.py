# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where an image comes from: each source, each refusal, the lock and the archives' manifest."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from ready.images import buildable_images, choice_results
from ready.images.choice_results import merge_lock
from ready.images.manifest import archive_entries, archive_ref, read_archives
from ready.images.recipe import read_recipe, recipe_hash
from ready.images.registries import NotServedError, registry_reason
from ready.images.sources import Name, choose, choose_all, lock_fault, look
from ready.stack.image_names import mirrored_repository

from filter_plugins import ready_images as filters
from tests.unit.conftest import ROOT

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
IMAGE: dict[str, Any] = {
    "repository": "docker.io/library/redis",
    "tag": "7-alpine",
    "version": "7",
    "version_command": ["redis-server", "--version"],
    "data_format": {"registry": "7-musl", "build": "7-glibc"},
    "override": None,
}
LOCK = {"repository": "docker.io/library/redis", "tag": "7-alpine", "digest": A}
ARCHIVE = {
    "file": "redis.tar",
    "sha256": "c" * 64,
    "ref": "ready/redis:7",
    "id": A,
    "source": "registry",
    "data_format": "7-musl",
    "engine_version": "7.2.4",
}


def pick(wanted: str = "auto", served: Any = B, **given: Any) -> dict[str, Any]:
    """Choose for redis; `served` is the registry's digest, or what it raises. `asked` is what it was asked for."""
    asked: list[str] = []

    def resolve(ref: str) -> str:
        asked.append(ref)
        if isinstance(served, Exception):
            raise served
        return str(served)

    image = IMAGE | given.pop("image", {})
    present = given.pop("present", [])
    settings = {"mirror": "", "lock": None, "archive": None, "archive_reason": "none is listed"} | given
    choice = choose("redis", image, wanted, resolve=resolve, is_present=lambda ref: ref in present, **settings)
    return vars(choice) | {"asked": asked}


def test_registry_first_use_is_locked() -> None:
    """The tag is asked for; what is pulled is its digest, which goes into the lock."""
    got = pick()
    assert got["asked"] == ["docker.io/library/redis:7-alpine"]
    assert (got["source"], got["ref"]) == ("registry", f"docker.io/library/redis@{B}")
    assert got["lock"] == LOCK | {"digest": B}
    assert (got["data_format"], got["faults"]) == ("7-musl", [])


def test_lock_is_asked_for_by_digest() -> None:
    """A lock names the digest, so that a tag that has moved is not followed, and nothing new is locked."""
    got = pick(served=A, lock=LOCK, mirror="127.0.0.1:5055")
    assert got["asked"] == [f"127.0.0.1:5055/library/redis@{A}"]
    assert (got["ref"], got["lock"], got["faults"]) == (f"127.0.0.1:5055/library/redis@{A}", None, [])


def test_what_is_present_needs_no_registry() -> None:
    """A locked image that Docker has is used without a question."""
    got = pick(served=AssertionError("asked"), lock=LOCK, present=[f"docker.io/library/redis@{A}"])
    assert (got["source"], got["asked"], got["faults"]) == ("registry", [], [])


@pytest.mark.parametrize("wanted", ["registry", "auto"])
@pytest.mark.parametrize(
    ("served", "says"),
    [(B, f"the registry serves {B}, the lock says {A}"), (NotServedError("manifest unknown"), "manifest unknown")],
)
def test_another_digest_stops_whatever_else_would_serve(wanted: str, served: Any, says: str) -> None:
    """A mismatch is no reason to take another source."""
    got = pick(wanted, served=served, lock=LOCK, archive=ARCHIVE)
    assert got["source"] is None
    assert len(got["faults"]) == 1
    assert says in got["faults"][0]
    assert "Next:" in got["faults"][0]


def test_registry_down() -> None:
    """With the lock, `registry` stops and names the digest; `auto` goes on with the reason."""
    down = LookupError("connection refused")
    [fault] = pick("registry", served=down, lock=LOCK)["faults"]
    assert A in fault
    assert "connection refused" in fault
    got = pick("auto", served=down, lock=LOCK, archive=ARCHIVE)
    assert (got["source"], got["ref"], got["faults"]) == ("archive", "ready/redis:7", [])
    assert got["reasons"] == ["registry: docker.io/library/redis: connection refused"]
    [fault] = pick("registry", served=down)["faults"]
    assert "redis: no image source works. registry: docker.io/library/redis: connection refused. Next:" in fault


def test_auto_ends_with_build() -> None:
    """Build serves where nothing else does, and says why the others do not."""
    got = pick(served=LookupError("no route"), archive_reason="there is none")
    assert (got["source"], got["ref"], got["data_format"]) == ("build", None, "7-glibc")
    assert got["reasons"] == ["registry: docker.io/library/redis: no route", "archive: there is none"]


def test_one_source_is_one_source() -> None:
    """What is asked for is tried alone."""
    assert pick("build", served=AssertionError("asked"), archive=ARCHIVE)["source"] == "build"
    got = pick("archive", served=AssertionError("asked"), archive=ARCHIVE)
    assert (got["source"], got["data_format"]) == ("archive", "7-musl")
    got = pick("archive", served=AssertionError("asked"))
    assert got["source"] is None
    assert "no image source works. archive: none is listed" in got["faults"][0]


def test_archive_of_a_foreign_format() -> None:
    """An archive whose data format the definition does not know does not serve."""
    got = pick("archive", archive=ARCHIVE | {"data_format": "6-musl"})
    assert "redis.tar is for data of 6-musl, not 7-glibc or 7-musl" in got["faults"][0]


def test_override() -> None:
    """An image that the inventory names is taken as named, without lock; a wrong name is a fault."""
    named = {"override": "example.test/redis:mine"}
    got = pick(image=named, lock=LOCK)
    assert (got["source"], got["ref"], got["lock"]) == ("registry", "example.test/redis:mine", None)
    got = pick(image=named, present=["example.test/redis:mine"], served=AssertionError("asked"))
    assert (got["asked"], got["faults"]) == ([], [])
    [fault] = pick(image=named, served=LookupError("no such host"))["faults"]
    assert "example.test/redis:mine (as redis_image says): no such host. Next:" in fault


def test_data_of_another_format_are_not_met() -> None:
    """A volume's data format decides; one that was never recorded does not."""
    [fault] = pick("build", held="7-musl")["faults"]
    assert "its data volume holds 7-musl, the image from build wants 7-glibc" in fault
    for held in ("7-glibc", "unknown", None):
        assert pick("build", held=held)["faults"] == []
    assert pick("archive", archive=ARCHIVE | {"data_format": "7-glibc"}, held="7-glibc")["faults"] == []


@pytest.mark.parametrize(
    ("repository", "mirror", "expected"),
    [
        ("docker.io/library/redis", "", "docker.io/library/redis"),
        ("docker.io/library/redis", "127.0.0.1:5055", "127.0.0.1:5055/library/redis"),
        ("localhost/redis", "mirror.test", "mirror.test/redis"),
        ("registry:5000/redis", "mirror.test", "mirror.test/redis"),
        ("chromadb/chroma", "mirror.test/hub", "mirror.test/hub/chromadb/chroma"),
    ],
)
def test_mirrored(repository: str, mirror: str, expected: str) -> None:
    """The registry's host is replaced, the path stays."""
    assert mirrored_repository(repository, mirror) == expected


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (None, None),
        (LOCK, None),
        (LOCK | {"tag": "7"}, "the image lock is for tag 7, the inventory asks for 7-alpine"),
        (LOCK | {"repository": "example.test/redis"}, "repository example.test/redis"),
        (LOCK | {"digest": A[:-1]}, "expected sha256: and 64 hex digits"),
        (LOCK | {"digest": A + "\n"}, "expected sha256: and 64 hex digits"),
        ({"repository": LOCK["repository"], "tag": LOCK["tag"]}, "digest is None"),
    ],
)
def test_lock_fault(entry: dict[str, str] | None, says: str | None) -> None:
    """A lock of something else, or a mangled one, is named and stops before anything is asked."""
    fault = lock_fault("redis", [Name(IMAGE["repository"], IMAGE["tag"], "registry")], entry)
    assert fault is None if says is None else says in str(fault)
    if says:
        got = pick(served=AssertionError("asked"), lock=entry)
        assert (got["faults"], got["source"]) == ([fault], None) if entry else True


def test_merge_lock() -> None:
    """Hosts add to one lock; what did not change keeps its date; only renewing changes an entry."""
    held = {"redis": LOCK | {"locked_at": "then"}, "neo4j": {"digest": B}}
    new = {"redis": LOCK, "chromadb": {"digest": B}}
    assert merge_lock(held, new, "now", False) == held | {"chromadb": {"digest": B, "locked_at": "now"}}
    moved = {"redis": LOCK | {"digest": B}}
    with pytest.raises(ValueError, match=f"the image lock says {A} since this run began, this host was served {B}"):
        merge_lock(held, moved, "now", False)
    assert merge_lock(held, moved, "now", True)["redis"] == LOCK | {"digest": B, "locked_at": "now"}


def test_read_archives() -> None:
    """A manifest that is as it was written is taken; every other state has its reason."""
    good = json.dumps({"images": {"redis": ARCHIVE}})
    assert read_archives("/d", good) == {"images": {"redis": ARCHIVE}, "reason": "/d/manifest.json does not list it"}
    assert read_archives("", None)["reason"] == "container_images_archive_dir is not set"
    assert read_archives("/d", None)["reason"] == "/d/manifest.json is missing"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"images": []}',
        '{"images": {"redis": null}}',
        *(json.dumps({"images": {"redis": {k: v for k, v in ARCHIVE.items() if k != key}}}) for key in ARCHIVE),
        json.dumps({"images": {"redis": ARCHIVE | {"file": "../redis.tar"}}}),
        json.dumps({"images": {"redis": ARCHIVE | {"file": ".."}}}),
        json.dumps({"images": {"redis": ARCHIVE | {"id": "latest"}}}),
        json.dumps({"images": {"redis": ARCHIVE | {"ref": f"redis@{A}"}}}),
    ],
)
def test_manifest_that_is_not_ours(text: str) -> None:
    """Nothing of it is used."""
    got = read_archives("/d", text)
    assert got["images"] == {}
    assert got["reason"].startswith("/d/manifest.json is not what ./ready images save writes (")


def test_manifest_is_told_what_it_lacks() -> None:
    """The reason names service and key."""
    text = json.dumps({"images": {"redis": ARCHIVE | {"file": None}}})
    assert "(redis: file is None)" in read_archives("/d", text)["reason"]


@pytest.mark.parametrize("ref", [f"redis@{A}", A, "redis"])
def test_archive_ref(ref: str) -> None:
    """A name that can be given on loading; one that can is kept."""
    assert archive_ref("redis", {"ref": "ready/redis:7-abc"}) == "ready/redis:7-abc"
    assert archive_ref("redis", {"ref": ref, "engine_version": "7.2.4", "id": B}) == "ready/redis:7.2.4-bbbbbbbbbbbb"


def test_registry_reason() -> None:
    """One line, its end where it is long, a timeout in words."""
    assert registry_reason(OSError("a\n  b")) == "a b"
    assert registry_reason(OSError("x" * 500 + "end")) == "…" + "x" * 197 + "end"
    assert registry_reason(OSError("Read timed out. (read timeout=20)")) == "no answer within 20 s"
    error = OSError("400 Client Error")
    error.explanation = "manifest unknown"  # type: ignore[attr-defined]
    assert registry_reason(error) == "manifest unknown"


class Registry:
    """A Docker client whose registry answers as `answers` says, per reference; counts the questions."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers, self.asked, self.images = answers, [""], self

    def get(self, ref: str) -> None:
        """Nothing is here."""
        from docker.errors import ImageNotFound

        raise ImageNotFound(ref)

    def get_registry_data(self, ref: str, auth_config: Any) -> Any:
        """Answer with a digest or an error."""
        from docker.errors import APIError

        self.asked.append(ref)
        answer = self.answers[ref.split("/")[-1].partition(":")[0].partition("@")[0]]
        if answer.startswith("sha256:"):
            return type("Data", (), {"attrs": {"Descriptor": {"digest": answer}}})
        raise APIError("500 Server Error", explanation=answer)


def ask(answers: dict[str, str], lock: dict[str, Any] | None = None) -> tuple[dict[str, Any], Registry]:
    """Choose by registry for every name in `answers`."""
    registry = Registry(answers)
    images = {name: IMAGE | {"repository": f"docker.io/library/{name}"} for name in answers}
    wanted = dict.fromkeys(answers, "registry")
    client: Any = registry
    return choose_all(client, images, wanted, "", lock or {}, {}, "none", None, {}, {}), registry


def test_a_silent_registry_is_asked_once() -> None:
    """One that does not answer is not waited for again; one that lacks or refuses an image is asked for the next."""
    got, registry = ask({"redis": "connection refused", "neo4j": B})
    assert len(registry.asked) == 2
    assert "connection refused" in got["neo4j"]["faults"][0]
    for answer in ("manifest unknown: manifest unknown", "pull access denied", "no basic auth credentials"):
        got, registry = ask({"redis": answer, "neo4j": B})
        assert answer in got["redis"]["faults"][0]
        assert got["neo4j"]["ref"] == f"docker.io/library/neo4j@{B}"


def test_a_digest_that_the_registry_lacks_is_a_mismatch() -> None:
    """Told from a registry that is down by what it answers."""
    lock = {"redis": LOCK}
    got, _ = ask({"redis": "manifest unknown: manifest unknown"}, lock)
    assert "as the lock says, can't be had: manifest unknown" in got["redis"]["faults"][0]


CHOICES = {
    "redis": {"source": "registry", "ref": f"r@{B}", "data_format": "7-musl", "reasons": [], "lock": {"digest": B}},
    "neo4j": {"source": "build", "ref": None, "data_format": "5", "reasons": ["registry: down"], "lock": None},
    "lost": {"source": None, "ref": None, "data_format": None, "reasons": ["none"], "lock": None},
}


def test_views_of_the_choices() -> None:
    """What the role's tasks loop over and show."""
    images = {"redis": {"image": IMAGE, "without": ""}, "neo4j": {}}
    assert choice_results.wanted(images, ["redis"]) == {"redis": IMAGE | {"without": ""}}
    bound = {"redis": "build", "other": "archive"}
    assert choice_results.sources(["redis", "neo4j"], "auto", bound) == {"redis": "build", "neo4j": "auto"}
    assert choice_results.by_source(CHOICES) == {"registry": ["redis"], "build": ["neo4j"]}
    assert choice_results.new_locks(CHOICES) == {"redis": {"digest": B}}
    assert choice_results.lines(CHOICES, "h")[:2] == [
        "h: image of redis from: registry",
        "h: image of neo4j from: build (registry: down)",
    ]
    assert choice_results.lock_lines(CHOICES, {"redis": {"digest": A}}, {})[0] == f"redis: {A} -> {B}"
    assert choice_results.lock_lines(CHOICES, {"redis": {"digest": B}}, {})[0] == f"redis: {B} (unchanged)"
    assert choice_results.lock_lines(CHOICES, {}, {})[0] == f"redis: none -> {B}"
    assert "as neo4j_image says; not locked" in choice_results.lock_lines(CHOICES, {}, {})[1]


def test_lock_file() -> None:
    """It starts with what it is, reads back as the lock, and does not change when nothing has changed."""
    first = choice_results.lock_file(None, {"redis": LOCK}, "now")
    assert first.startswith("---\n# Tag to digest")
    assert yaml.safe_load(first) == {"ready_images_lock": {"redis": LOCK | {"locked_at": "now"}}}
    assert choice_results.lock_file(first, {"redis": LOCK}, "later") == first
    assert yaml.safe_load(choice_results.lock_file("---\n", {"redis": LOCK}, "now")) == yaml.safe_load(first)


def test_held_formats() -> None:
    """Of our volumes, where it is recorded."""
    volume = {"ours": True, "service": "redis", "labels": {"io.ready.data_format": "7-musl"}}
    assert choice_results.held({"volumes": {"v": volume}}) == {"redis": "7-musl"}
    assert choice_results.held({"volumes": {"v": volume | {"ours": False}, "w": volume | {"labels": {}}}}) == {}
    assert choice_results.held({}) == {}


def test_build_views() -> None:
    """What is missing, why a build failed, and what the images are called."""
    looked = [{"item": "redis", "image": {"ref": "x", "id": A}}, {"item": "neo4j", "image": {"ref": "y"}}]
    assert choice_results.missing(looked) == ["neo4j"]
    failed = {"results": [{"item": "redis"}, {"item": "neo4j", "failed": True, "msg": "disk full"}]}
    said = choice_results.build_fault(failed, CHOICES, "h")
    assert said.startswith("h: neo4j: no image source works. registry: down; build: disk full\nNext:")
    assert choice_results.build_fault({"msg": "apt is locked"}, CHOICES, "h") == "apt is locked"
    services = {name: {"image": IMAGE} for name in CHOICES}
    chosen = {name: CHOICES[name] for name in ("redis", "neo4j")}
    got = choice_results.refs(chosen, services, [{"item": "neo4j", "image": {"ref": "ready/neo4j:5-abc"}}])
    assert {name: item["ref"] for name, item in got.items()} == {"redis": f"r@{B}", "neo4j": "ready/neo4j:5-abc"}
    assert got["redis"]["data_format"] == "7-musl"
    assert list(choice_results.without_facts(got)) == ["redis", "neo4j"]
    image = {"ref": "ready/neo4j:5-abc", "id": A, "engine_version": "5.12.0"}
    known = choice_results.refs(chosen, services, [{"item": "neo4j", "image": image}])
    assert known["neo4j"].items() >= image.items()
    assert list(choice_results.without_facts(known)) == ["redis"]
    assert choice_results.refs(chosen, services, [])["neo4j"]["ref"] == "ready/neo4j:7"


def test_manifest_is_one_that_is_read_back() -> None:
    """What `images save` writes, `images load` takes."""
    image = {"ref": f"r@{B}", "id": A, "source": "registry", "data_format": "7-musl", "engine_version": "7.2.4"}
    written = archive_entries({"redis": image}, {"redis": "c" * 64})
    assert written["redis"]["sha256"] == "c" * 64
    assert read_archives("/d", json.dumps({"images": written}))["images"] == written


def test_filters_have_their_prefix() -> None:
    """Every filter is named after the role."""
    names = filters.FilterModule().filters()
    assert all(re.fullmatch(r"ready_images_\w+", name) for name in names)


def test_recipes_are_those_that_a_build_takes() -> None:
    """The same name as the module image_build gives its image; what has no recipe can't be looked for."""
    services = {name: {"image": {"version": version}} for name, version in (("redis", "7"), ("theirs", "1"))}
    got = buildable_images.recipes(services, list(services))
    assert list(got) == ["base", "redis"]
    recipe = recipe_hash(read_recipe(ROOT / "images", "redis", "7"), "redis")
    ref = f"ready/redis:7-{recipe[:12]}"
    assert got["redis"] == {"ref": ref, "recipe": recipe, "rebuild": False, "suite": "bookworm", "pip": False}
    assert buildable_images.recipes({"chromadb": {"image": {"version": "1.5.9"}}}, ["chromadb"])["chromadb"]["pip"]
    assert buildable_images.recipes({"redis": {"image": {"version": "8"}}}, ["redis"])["redis"]["suite"] == "trixie"
    assert got["base"]["ref"].startswith("ready/base:bookworm-")
    client: Any = Registry({})
    choices = {
        name: {"source": source} for name, source in (("redis", "build"), ("theirs", "build"), ("x", "registry"))
    }
    said = [{"item": name, "image": {"ref": its["ref"], "recipe": its["recipe"]}} for name, its in got.items()]
    assert look(client, choices, got) == [*said, {"item": "theirs", "image": {}}]
    assert look(client, {"x": {"source": "registry"}}, got) == []
    again = buildable_images.recipes(services, ["redis"], True)
    assert (again["base"]["rebuild"], again["redis"]["rebuild"]) == (False, True)
