# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Validate documents against the JSON Schemas in schemas/. Runs on the controller."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin

from ..common.input_value import kind_of, safe_key, safe_value
from ..common.paths import ROOT
from ..common.spelling import hint

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

SCHEMAS = ROOT / "schemas"


def _references(schema: Any) -> Iterator[str]:
    """Give each `$ref` in a schema."""
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)
    elif isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for item in schema.values():
            yield from _references(item)


def load_library() -> None:
    """Import what validates, for plugins that Ansible loads before it forks: a worker that imports it pays itself."""
    import jsonschema  # noqa: F401


@cache
def _validator(path: Path) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # it costs 0.1 s: only who validates pays
    from referencing import Registry, Resource

    # Schemas refer to each other by relative path; the file's own address is the base. What it needs is read once:
    # a registry that retrieves by itself does so at each reference of each document.
    main = f"file://{path}"
    found: dict[str, Any] = {}
    wanted = [main]
    while wanted:
        uri = wanted.pop()
        if uri not in found:
            found[uri] = json.loads(Path(uri.removeprefix("file://")).read_text(encoding="utf-8"))
            wanted += [urldefrag(urljoin(uri, name)).url for name in _references(found[uri])]
    resources = [(uri, Resource.from_contents(contents)) for uri, contents in found.items()]
    registry: Any = Registry().with_resources(resources).crawl()
    return Draft202012Validator({"$ref": main}, registry=registry)


def _leaves(error: ValidationError) -> list[ValidationError]:
    """Return what really is wrong inside an anyOf/oneOf: the branch that came farthest."""
    if not error.context:
        return [error]
    deepest = max(len(item.absolute_path) for item in error.context)
    found = [leaf for item in error.context if len(item.absolute_path) == deepest for leaf in _leaves(item)]
    return found if deepest > len(error.absolute_path) else [error]


def _message(error: ValidationError) -> str:
    where = ".".join(str(part) for part in error.absolute_path) or "(top)"
    wanted: Any = error.validator_value
    schema: Any = error.schema
    instance: Any = error.instance
    keyword, found = str(error.validator), safe_value(instance)
    if keyword == "required":
        absent = [name for name in wanted if name not in instance]
        found, expected = f"no {', '.join(absent)}", f"the keys {', '.join(wanted)}"
    elif keyword == "additionalProperties":
        known = schema.get("properties", {})
        forms = schema.get("patternProperties", {})
        unknown = [name for name in instance if name not in known and not any(re.search(form, name) for form in forms)]
        found = f"the unknown key {', '.join(safe_key(name) + hint(str(name), known) for name in unknown)}"
        expected = f"only {', '.join(known)}"
    elif keyword == "enum":
        expected = f"one of {', '.join(map(str, wanted))}"
    elif keyword == "const":
        expected = json.dumps(wanted, ensure_ascii=False)
    elif keyword == "type":
        found = kind_of(instance)  # as a variable of the environment, a number may be a password
        expected = " or ".join([wanted] if isinstance(wanted, str) else wanted)
    elif keyword == "pattern":
        examples = schema.get("examples")
        expected = f"text such as {examples[0]}" if examples else f"text that matches {wanted}"
    elif isinstance(wanted, (int, float)):  # minimum, maxItems …
        expected = f"{keyword} {wanted}"
    else:
        expected = str(error.message)
    return f"{where}: found {found}, expected {expected}"


def faults(document: Any, schema: str) -> list[str]:
    """Return a message per place where a document does not fit schemas/<schema>: where, found, expected."""
    errors = [leaf for error in _validator(SCHEMAS / schema).iter_errors(document) for leaf in _leaves(error)]
    return list(
        dict.fromkeys(_message(error) for error in sorted(errors, key=lambda item: list(map(str, item.absolute_path))))
    )


@cache
def services_with_closed_settings() -> frozenset[str]:
    """Return the services whose settings are Ready's own: the schema has their keys, where an engine has its own."""
    rules = json.loads((SCHEMAS / "service.schema.json").read_text(encoding="utf-8"))["allOf"]
    return frozenset(
        rule["if"]["properties"]["name"]["const"] for rule in rules if "settings" in rule["then"]["properties"]
    )


def validate_definition(definition: Mapping[str, Any]) -> list[str]:
    """Return a message per place where a service definition does not fit schemas/service.schema.json."""
    return faults(definition, "service.schema.json")
