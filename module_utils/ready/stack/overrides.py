# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check the inventory's values for a service against its role's spec and the schema. Controller only.

No play includes the services' roles: Ansible would check their variables by the specs, at 50 ms for each of them in
each run, and look at no key of a mapping.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..common.input_value import kind_of, safe_value
from .argument_specs import role_specs
from .definitions import merged, override_names
from .schema import services_with_closed_settings, validate_definition

#: Keys that `resolve_stack` judges itself, with more to say.
_JUDGED = ("tls", "waivers", "accounts", "database", "models", "endpoint")
#: Mappings of numbers among other things.
_NUMBERS = ("objectives", "health", "rate", "gateway")
_SHAPES = {"list": list, "dict": dict}


def check(
    definitions: Mapping[str, Mapping[str, Any]], variables: Mapping[str, Any], services: Iterable[str]
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return the variables of these services in the types of their specs, and variable -> what is wrong with it."""
    specs = role_specs()
    fitting: dict[str, Any] = {}
    faults: dict[str, list[str]] = {}
    for definition in (definitions[name] for name in services if name in definitions):
        options = specs[definition["name"]]["main"]["options"]
        for variable, path in override_names(definition).items():
            value = variables.get(variable)
            if value is None:
                continue
            found = ArgumentSpecValidator({variable: options[variable]}).validate({variable: value})
            if found.error_messages or not _has_shape(options[variable]["type"], value):
                plain = options[variable]["type"] not in _SHAPES
                what = (
                    safe_value(value) if plain else kind_of(value)
                )  # in place of a mapping, a text may be `key: password`
                faults[variable] = [f"{variable}: found {what}, expected {_type(options[variable])}"]
                continue
            fitting[variable] = _typed(definition["name"], path[0], found.validated_parameters[variable])
            if len(path) == 1 and path[0] in definition and _has_rules(definition["name"], path[0]):
                whole = {**definition, path[0]: merged(definition[path[0]], fitting[variable])}
                if messages := [f"{definition['name']}_{message}" for message in validate_definition(whole)]:
                    faults[variable] = messages
    return fitting, faults


def _has_rules(service: str, key: str) -> bool:
    """Return whether the schema says more of a key than the spec: of an engine's own settings it does not.

    Most inventories have those, and loading the validator takes 0.1 s.
    """
    return key not in _JUDGED and (key != "settings" or service in services_with_closed_settings())


def _typed(service: str, key: str, value: Any) -> Any:
    """Return a mapping with texts and numbers as its schema has them: YAML and the command line write either."""
    if key == "env":
        return {name: str(its) if isinstance(its, (bool, int, float)) else its for name, its in value.items()}
    if key in _NUMBERS or (key == "settings" and service in services_with_closed_settings()):
        return {name: _number(its) if isinstance(its, str) else its for name, its in value.items()}
    return value


def _number(text: str) -> Any:
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        return text
    return float(text) if "." in text else int(text)


def _has_shape(wanted: str, value: Any) -> bool:
    """Return whether a value is a list, a mapping or neither as it should be: Ansible makes each of the other."""
    return isinstance(value, _SHAPES[wanted]) if wanted in _SHAPES else not isinstance(value, (list, dict))


def _type(option: Mapping[str, Any]) -> str:
    return f"{option['type']} of {option['elements']}" if "elements" in option else str(option["type"])
