# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Resolve service definitions and inventory variables into one stack. Runs on the controller."""

from __future__ import annotations

import copy
import ipaddress
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.nativetypes import NativeEnvironment

from ..common.input_value import kind_of
from ..common.paths import ROOT
from ..common.spelling import closest
from ..common.units import parse_size
from . import backends, external, models
from .accounts import complete_accounts, complete_databases
from .resolved import data_volumes
from .waivers import plain_waivers

SERVICES_DIR = ROOT / "services"
#: Keys of a definition that no variable overrides: they are what the service *is*.
FIXED_KEYS = frozenset(
    {
        "name",
        "title",
        "needs",
        "backends",
        "image",
        "ports",
        "volumes",
        "files",
        "limits",
        "least",
        "fronts",
        "reload",
        "logins",
    }
)
#: Shortcuts: `<service>_<shortcut>` -> where the value goes.
LIMITS = ("memory", "cpus", "pids")
STACK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{1,30}")


class DefinitionError(ValueError):
    """What is wrong with the definitions or the variables, a message per fault."""

    def __init__(self, messages: Iterable[str]) -> None:
        self.messages = list(messages)
        super().__init__("\n".join(self.messages))


def load_definitions(directory: Path = SERVICES_DIR) -> dict[str, dict[str, Any]]:
    """Return every services/<name>.yml by name; tests hold each against schemas/service.schema.json."""
    definitions = {}
    for path in sorted(directory.glob("*.yml")):
        with path.open(encoding="utf-8") as stream:
            definition = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # a safe loader
        if definition.get("name") != path.stem:
            raise DefinitionError([f"{path}: name is {definition.get('name')!r}, expected {path.stem!r}"])
        definitions[path.stem] = definition
    return definitions


def override_names(definition: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the variables that override this definition, each with the path that it replaces or merges into."""
    service = definition["name"]
    names: dict[str, tuple[str, ...]] = {f"{service}_{key}": (key,) for key in definition if key not in FIXED_KEYS}
    names |= {f"{service}_{limit}": ("limits", limit) for limit in LIMITS}
    names |= {f"{service}_{port['variable']}": ("ports", port["name"]) for port in definition["ports"]}
    names |= {
        f"{service}_image": ("image", "override"),
        f"{service}_version": ("image", "version"),
        f"{service}_bind_address": ("bind",),
    }
    if "repository" in definition["image"]:
        names[f"{service}_tag"] = ("image", "tag")
    return names


def unknown_variables(names: Iterable[str], known: Iterable[str], prefixes: Iterable[str]) -> list[str]:
    """Return a message for each name in one of our name spaces that nobody reads, and for near misses outside them."""
    known_names = sorted(set(known))
    starts = tuple(f"{prefix}_" for prefix in prefixes)
    messages = []
    for name in sorted(set(names)):
        if name.startswith(("_", "ansible_")) or name in known_names:
            continue
        ours = name.startswith(starts)
        close = closest(name, known_names, 0.75 if ours else 0.9)
        if ours or close:
            hint = f" Did you mean {close}?" if close else ""
            messages.append(f"unknown variable {name}: nothing reads it.{hint}")
    return messages


def merged(base: Any, override: Any) -> Any:
    """Return what a value of the definition becomes: mappings are merged, all else is replaced."""
    if isinstance(base, Mapping) and isinstance(override, Mapping):
        return {**base, **{key: merged(base.get(key), value) for key, value in override.items()}}
    return override


def flag(name: str, value: Any) -> bool:
    """Return what a variable says. Raises ValueError when that is neither true nor false."""
    words = {"true": True, "yes": True, "false": False, "no": False}
    if str(value).lower() not in words:
        raise ValueError(f"{name}: found {value!r}, expected true or false")
    return words[str(value).lower()]


def _resolve_tls(
    name: str, tls: dict[str, Any], always: bool, variables: Mapping[str, Any], known: Iterable[str]
) -> list[str]:
    """Make a service's `tls` whole, in place; return a message per fault.

    Args:
        name: the service's.
        tls: its `tls`, with the inventory's values in it.
        always: whether the service cannot be without TLS.
        variables: the inventory's: `ready_tls` is the default of `enabled`.
        known: the keys that the definition has.
    """
    variable = f"{name}_tls"
    if unknown := sorted(set(tls) - set(known)):
        return [f"{variable}: found the unknown key {', '.join(unknown)}, expected some of {', '.join(known)}"]
    try:
        override = variables.get(variable)
        if not always and not (isinstance(override, Mapping) and "enabled" in override):
            tls["enabled"] = flag("ready_tls", variables.get("ready_tls", False))
        tls["enabled"] = flag(f"{variable}.enabled", tls["enabled"])
    except ValueError as error:
        return [str(error)]
    faults = []
    if always and not tls["enabled"]:
        faults.append(f"{variable}.enabled: found false, expected true: this service is never without TLS")
    given = [key for key in ("certificate", "key", "ca") if tls[key]]
    if given and len(given) < 3:
        faults.append(f"{variable}: found {' and '.join(given)} alone, expected certificate, key and ca together")
    if not isinstance(tls["names"], list):
        faults.append(f"{variable}.names: found {kind_of(tls['names'])}, expected a list")
    elif given and not tls["names"]:
        faults.append(f"{variable}.names: found none, expected the names in the certificate that clients connect to")
    return faults


def _check_type(name: str, current: Any, value: Any) -> str | None:
    if isinstance(current, Mapping) and not isinstance(value, Mapping):
        return f"{name}: found {kind_of(value)}, expected a mapping such as {{key: value}}"
    if isinstance(current, list) and not isinstance(value, list):
        return f"{name}: found {kind_of(value)}, expected a list"
    return None


def _render(value: Any, environment: NativeEnvironment, context: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _render(item, environment, context) for key, item in value.items()}
    if isinstance(value, list):
        return [_render(item, environment, context) for item in value]
    if isinstance(value, str) and "{{" in value:
        return environment.from_string(value).render(context)
    return value


def _take_line(service: dict[str, Any], wanted: Any) -> str | None:
    """Make `image` that of the release line that is wanted, in place; return what is wrong with it, if anything."""
    image = service["image"]
    lines = image.pop("lines", {})
    if wanted is None or str(wanted) == image["version"]:
        return None
    if str(wanted) not in lines:
        expected = " or ".join(sorted({image["version"], *lines}))
        return f"{service['name']}_version: found {str(wanted)!r}, expected {expected}"
    image |= {"version": str(wanted), **lines[str(wanted)]}
    return None


def _image_faults(service: dict[str, Any], variables: Mapping[str, Any]) -> list[str]:
    """Make `image` what the inventory says of it, in place; return what is wrong with that."""
    name, image = service["name"], service["image"]
    fault = _take_line(service, variables.get(f"{name}_version"))
    image["override"] = variables.get(f"{name}_image")
    if (tag := variables.get(f"{name}_tag")) is not None:
        image["tag"] = tag
    return [fault] if fault else []


def resolve_image(definition: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the image of one definition with the inventory's values in it, without the rest of the service.

    Raises DefinitionError when there is no such release line.
    """
    service = {"name": definition["name"], "image": copy.deepcopy(definition["image"])}
    if faults := _image_faults(service, variables):
        raise DefinitionError(faults)
    return dict(service["image"])


def _port(name: str, value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if not 0 < number < 65536:
        raise ValueError(f"{name}: found {value!r}, expected a TCP port from 1 to 65535")
    return number


def resolve_service(
    definition: Mapping[str, Any], variables: Mapping[str, Any], stack: str, bind_address: str
) -> dict[str, Any]:
    """Return one definition with the inventory's values in it, names made for this stack, and units in bytes.

    Raises DefinitionError with a message per variable that does not fit.
    """
    faults: list[str] = []
    service = copy.deepcopy(dict(definition))
    name = service["name"]
    ports = {port["name"]: port for port in service["ports"]}
    bind = bind_address
    faults += _image_faults(service, variables)
    given = variables.get(f"{name}_backend")
    if fault := backends.fault(definition, service["backend"] if given is None else given):
        faults.append(fault)
    for variable, path in override_names(definition).items():
        if variable not in variables or variables[variable] is None or path[0] in {"image", "models"}:
            continue
        value = variables[variable]
        try:
            if path[0] == "ports":
                ports[path[1]]["host"] = _port(variable, value)
            elif path == ("bind",):
                bind = str(value)
            elif len(path) == 2:
                service[path[0]][path[1]] = value
            elif fault := _check_type(variable, service[path[0]], value):
                faults.append(fault)
            else:
                service[path[0]] = merged(service[path[0]], value)
        except ValueError as error:
            faults.append(str(error))
    try:
        ipaddress.ip_address(bind)
    except ValueError:
        faults.append(f"{name}_bind_address: found {bind!r}, expected an IP address such as 127.0.0.1")
    try:
        service["limits"]["memory"] = parse_size(service["limits"]["memory"])
        service["least"] |= {key: parse_size(service["least"][key]) for key in ("memory", "beside")}
        service["limits"] |= {"cpus": float(service["limits"]["cpus"]), "pids": int(service["limits"]["pids"])}
    except (TypeError, ValueError) as error:
        faults.append(f"{name} limits: {error}; expected memory such as 512m, cpus such as 1.5, pids such as 200")
    if isinstance(service.get("tls"), dict):
        always = bool(definition["tls"]["enabled"])
        faults += _resolve_tls(name, service["tls"], always, variables, definition["tls"])
    service["waivers"], unfit = plain_waivers(f"{name}_waivers", service["waivers"])
    faults.extend(unfit)
    faults.extend(complete_accounts(service, definition["accounts"]))
    if "models" in service:
        faults.extend(models.resolve_models(service, variables.get(f"{name}_models")))
    if "databases" in service and not faults:
        faults.extend(complete_databases(service))
    if faults:
        raise DefinitionError(faults)
    context = {key: value for key, value in service.items() if isinstance(key, str)}
    context["memory_mib"] = service["limits"]["memory"] // 2**20
    try:
        environment = NativeEnvironment(undefined=StrictUndefined)
        environment.filters["quote"] = shlex.quote
        service = dict(_render(service, environment, context))
    except TemplateError as error:
        raise DefinitionError([f"services/{name}.yml: {error}"]) from error
    for port in service["ports"]:
        port.update(host=port.get("host", port["container"]), bind=bind)
        with_tls = port.pop("tls_container", port["container"])
        if service.get("tls", {}).get("enabled"):
            port["container"] = with_tls
    for volume in service["volumes"]:
        volume["name"] = f"{stack}_{volume['name']}"
    service.update(container=f"{stack}-{name}", config_volume=f"{stack}_{name}_config")
    return service


def resolve_stack(definitions: Mapping[str, Mapping[str, Any]], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stack that the inventory asks for: its name, network and resolved services, in the order asked.

    `services` and `sidecars` are the containers, `external` the services that somebody else's server is, `off` the
    title and backend of those that are switched off; `former` names those of both whose containers, where there still
    are any, hold no data. `variables` are the templated inventory variables of one host.
    Raises DefinitionError with every fault found.
    """
    from .sidecars import resolve_sidecars  # it needs what is above

    faults: list[str] = []
    stack = str(variables["stack_name"])
    if not STACK_NAME.fullmatch(stack):
        faults.append(f"stack_name: found {stack!r}, expected 2 to 31 of a-z 0-9 _ -, a letter or digit first")
    services: dict[str, dict[str, Any]] = {}
    for name in variables["ready_services"]:
        if name not in definitions:
            close = closest(str(name), definitions)
            hint = f" Did you mean {close}?" if close else ""
            faults.append(f"ready_services: unknown service {name!r}, expected some of {', '.join(definitions)}.{hint}")
            continue
        try:
            services[name] = resolve_service(definitions[name], variables, stack, str(variables["ready_bind_address"]))
        except DefinitionError as error:
            faults.extend(error.messages)
    off = {
        name: {"title": service["title"], "backend": service["backend"]}
        for name, service in services.items()
        if backends.kind(service) == backends.NONE
    }
    elsewhere: dict[str, dict[str, Any]] = {}
    for name, service in services.items():
        if backends.kind(service) == backends.EXTERNAL:
            elsewhere[name], wrong = external.resolve_external(service, variables, definitions[name]["endpoint"])
            faults.extend(wrong)
    services = {name: service for name, service in services.items() if name not in {*off, *elsewhere}}
    named = set(variables["ready_services"]) - {*off, *elsewhere}  # one that is faulty is there all the same
    for name, service in services.items():
        if absent := [other for other in service.get("needs", []) if other not in named]:
            faults.append(
                f"ready_services: found {name} without {', '.join(absent)}, expected both: name it, or take {name} out"
            )
    sidecars: dict[str, dict[str, Any]] = {}
    if not faults:
        try:
            sidecars = resolve_sidecars(definitions, services, variables, stack)
        except DefinitionError as error:
            faults.extend(error.messages)
    taken: dict[int, str] = {}
    for name, service in services.items():
        for port in service["ports"]:
            variable = f"{name}_{port['variable']}"
            if other := taken.get(port["host"]):
                faults.append(f"{variable}: port {port['host']} is {other}'s already; give one of them another port")
            taken.setdefault(port["host"], variable)
    if faults:
        raise DefinitionError(faults)
    return {
        "name": stack,
        "network": stack,
        "services": services,
        "sidecars": sidecars,
        "external": elsewhere,
        "off": off,
        "former": [name for name in (*off, *elsewhere) if not data_volumes(definitions[name])],
    }
