"""The schemas say what the code does, and the service definitions fit them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ready.common.verdict import VERDICTS
from ready.evidence.document import NAMES, PROVENANCES
from ready.stack.definitions import FIXED_KEYS, load_definitions, override_names
from ready.stack.schema import SCHEMAS, validate_definition

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(SCHEMAS.rglob("*.json"))


def load(name: str) -> Any:
    """Return a schema."""
    return json.loads((SCHEMAS / name).read_text())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_schema_is_one(path: Path) -> None:
    """Each file is a valid schema that says what it is for."""
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]


def test_every_name_of_evidence_has_its_schema() -> None:
    """No more and no fewer, each over the one envelope, with its own name in `schema`."""
    assert {path.name for path in (SCHEMAS / "evidence").iterdir()} == {f"{name}.schema.json" for name in NAMES}
    for name in NAMES:
        schema = load(f"evidence/{name}.schema.json")
        assert schema["allOf"] == [{"$ref": "../envelope.schema.json"}]
        assert schema["properties"]["schema"] == {"const": f"ready/{name}/1"}


def test_words_stand_once() -> None:
    """Code and envelope know the same verdicts and provenances."""
    envelope = load("envelope.schema.json")
    assert tuple(envelope["$defs"]["verdict"]["enum"]) == VERDICTS
    assert tuple(envelope["properties"]["provenance"]["enum"]) == PROVENANCES


@pytest.mark.parametrize("name", load_definitions())
def test_definition_fits(name: str) -> None:
    """services/<name>.yml fits, its templates exist, and so do its role and image."""
    definition = load_definitions()[name]
    assert validate_definition(definition) == []
    templates = ROOT / "roles" / name / "templates"
    assert {file["template"] for file in definition["files"]} == {path.name for path in templates.iterdir()}
    assert (ROOT / "images" / name / "Containerfile").is_file()


def test_every_key_of_a_definition_is_described() -> None:
    """The schema is the reference, so each key says what it is for."""
    schema = load("service.schema.json")
    assert set(schema["properties"]) >= FIXED_KEYS
    bare = [key for key, value in schema["properties"].items() if "description" not in value]
    assert bare == []


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return redis's definition with a value changed, or removed where it is ..."""
    definition = copy.deepcopy(load_definitions()["redis"])
    *parents, last = path.split(".")
    place: Any = definition
    for key in parents:
        place = place[int(key) if key.isdigit() else key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return definition


def test_an_image_without_upstream() -> None:
    """It has neither repository nor tag, and the format of what is built alone."""
    definition = changed("image.repository", ...)
    del definition["image"]["tag"]
    definition["image"] |= {"data_format": {"build": "a"}, "lines": {"8": {"data_format": {"build": "b"}}}}
    assert validate_definition(definition) == []
    assert "redis_tag" not in override_names(definition)
    assert "redis_tag" in override_names(load_definitions()["redis"])


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("colour", "red", "found the unknown key colour"),
        ("image", ..., "found no image"),
        ("image.user", "0:0", 'image.user: found "0:0", expected text such as 999:1000'),
        ("image.data_format", {"registry": "a"}, "image.data_format: found no build"),
        ("image.data_format", {"build": "a"}, "image.data_format: found no registry"),
        ("image.tag", ..., "'tag' is a dependency of 'repository'"),
        ("image.repository", ..., "'repository' is a dependency of 'tag'"),
        ("image.lines", {"8": {"data_format": {"registry": "a", "build": "b"}}}, "image.lines.8: found no tag"),
        ("command", "redis-server", "command: found text, expected array"),
        ("env", {"A": 1}, "env.A: found a number, expected string"),
        ("ports", [], "ports: found an empty list, expected minItems 1"),
        ("ports.0.container", 70000, "ports.0.container: found 70000, expected maximum 65535"),
        ("ports.0.protocol", "gopher", 'ports.0.protocol: found "gopher", expected one of'),
        ("volumes.0.path", "data", "volumes.0.path"),
        ("tmpfs", {"/tmp": "mode=1777"}, "tmpfs./tmp"),
        ("files.0.path", "../etc/passwd", "files.0.path"),
        ("accounts.root", {"login": "r", "rights": "all"}, "accounts: found the unknown key root"),
        ("limits.memory", "lots", 'limits.memory: found "lots", expected text such as 512m'),
        ("limits.cpus", 0, "limits.cpus"),
        ("stop_timeout", 0, "stop_timeout: found 0, expected minimum 1"),
        ("health.test", ["curl", "x"], 'health.test.0: found "curl", expected one of CMD, CMD-SHELL'),
        ("health.deadline", "60", "health.deadline: found text, expected integer"),
        ("objectives.latency_p95_ms", -1, "objectives.latency_p95_ms"),
    ],
)
def test_what_does_not_fit_is_named(path: str, value: Any, message: str) -> None:
    """One message: where, found, expected."""
    messages = validate_definition(changed(path, value))
    assert len(messages) == 1
    assert message in messages[0]
