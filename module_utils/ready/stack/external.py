# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Resolve a service that an external server provides, and pack its secrets for the host."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from ..common.input_value import kind_of
from ..secrets.redaction import register_secrets

#: The one account of an endpoint: whoever has its key may do everything.
ACCOUNT = "app"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}")
#: A provider's key, or a token of theirs. It travels in an HTTP header, so no space may be in it.
_KEY = re.compile(r"[\x21-\x7e]{1,4096}")
_MODEL = re.compile(r"[\x21-\x7e]{1,200}")
#: What a model may be for.
KINDS = ("chat", "embedding")


class Secrets(NamedTuple):
    """What the probe of one external service needs beside its settings."""

    passwords: Mapping[str, str]
    ca: str | None


def secrets_entry(service: str) -> str:
    """Return under which name the secrets file has the keys of a service while it is external.

    The passwords that Ready made for the local one stay beside them: those are never sent to a provider.
    """
    return f"{service}_external"


def key_fault(key: str) -> str:
    """Return why a provider's key can't be used, "" when it can."""
    if _KEY.fullmatch(key):
        return ""
    return f"has {len(key)} characters or one that can't be sent, expected 1 to 4096 of printable ASCII without spaces"


def is_private(host: str) -> bool:
    """Return whether a host is this one, or an address of a private network: there plain HTTP may be meant."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_private


def is_near(host: str) -> bool:
    """Return whether no proxy of the environment knows a host: a private one, or a name without a domain."""
    return is_private(host) or not {".", ":"} & set(host)


def _url(variable: str, text: Any, example: str, schemes: Iterable[str]) -> tuple[SplitResult | None, str]:
    """Return (URL, fault). A fault repeats no text: a URL may hold a password."""
    try:
        url = urlsplit(text) if isinstance(text, str) else urlsplit("")
        usable = bool(url.hostname) and url.port != 0 and not re.search(r"\s", str(text))
    except ValueError:
        return None, f"{variable}: found no URL, expected one such as {example}"
    if not usable or url.scheme not in schemes:
        return None, f"{variable}: found no URL of {' or '.join(schemes)}, expected one such as {example}"
    if "@" in url.netloc or url.query or url.fragment:
        return None, f"{variable}: found a login, a query or a fragment in it, expected none of them"
    return url, ""


def _address_faults(variable: str, endpoint: Mapping[str, Any]) -> Iterable[str]:
    azure = endpoint["api_version"]
    example = "https://NAME.openai.azure.com" if azure else "https://api.openai.com/v1"
    url, fault = _url(f"{variable}.base_url", endpoint["base_url"], example, ("https", "http"))
    if fault:
        yield fault
    elif url and url.scheme == "http" and not is_private(str(url.hostname)):
        yield f"{variable}.base_url: found http to {url.hostname}, expected https: the key would travel in clear text"
    elif url and azure and url.path.strip("/"):
        yield f"{variable}.base_url: found a path, expected the address of the Azure resource alone, such as {example}"
    if azure and not (isinstance(azure, str) and _VERSION.fullmatch(azure)):
        yield f'{variable}.api_version: found no version, expected one of Azure\'s in quotes, such as "2024-10-21"'
    if endpoint["proxy"]:
        _, fault = _url(f"{variable}.proxy", endpoint["proxy"], "http://proxy.example.org:3128", ("http", "https"))
        yield from filter(None, [fault])
    if not isinstance(endpoint["ca"], str):
        yield f"{variable}.ca: found no path, expected a PEM file on the controller"


def _model_faults(variable: str, endpoint: Mapping[str, Any]) -> Iterable[str]:
    kind = "deployment of the chat model" if endpoint["api_version"] else "name of the chat model"
    if not endpoint["chat"]:
        yield f"{variable}.chat: found nothing, expected the {kind} that the endpoint has"
    for key in ("chat", "embedding"):
        if endpoint[key] and not (isinstance(endpoint[key], str) and _MODEL.fullmatch(endpoint[key])):
            yield f"{variable}.{key}: found no name, expected one of at most 200 printable characters without spaces"
    number = endpoint["dimensions"]
    if isinstance(number, bool) or not str(number).isdigit() or int(str(number)) > 65536:
        yield f"{variable}.dimensions: found {kind_of(number)}, expected the numbers of an embedding, 1 to 65536"
    elif int(str(number)) and not endpoint["embedding"]:
        yield f"{variable}.dimensions: found {number} without embedding, expected both"


def resolve_external(
    service: Mapping[str, Any], variables: Mapping[str, Any], known: Iterable[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return a resolved service as an endpoint elsewhere, and a message per fault.

    What is about a container is not in it; its models are the endpoint's, which the inventory alone knows.

    Args:
        service: the resolved service; its `endpoint` has the inventory's values in it.
        variables: the inventory's.
        known: the keys that the definition's `endpoint` has.
    """
    name, endpoint = service["name"], {key: value or "" for key, value in service["endpoint"].items()}
    variable = f"{name}_endpoint"
    endpoint["dimensions"] = service["endpoint"].get("dimensions") or 0
    if unknown := sorted(map(str, set(endpoint) - set(known))):
        faults = [f"{variable}: found the unknown key {', '.join(unknown)}, expected some of {', '.join(known)}"]
    else:
        faults = [*_address_faults(variable, endpoint), *_model_faults(variable, endpoint)]
    if faults:
        return {}, [f"{fault}. Nothing was changed. Next: docs/roles/{name}.md has examples" for fault in faults]
    models: dict[str, dict[str, Any]] = {kind: {"name": endpoint[kind]} for kind in KINDS if endpoint[kind]}
    if number := int(endpoint["dimensions"]):
        models["embedding"]["dimensions"] = number
    return {
        **{key: service[key] for key in ("name", "title", "backend", "backends", "objectives")},
        "base_url": endpoint["base_url"].rstrip("/"),
        "api_version": endpoint["api_version"],
        "proxy": endpoint["proxy"],
        "ca_file": endpoint["ca"],
        "models": models,
        "accounts": {account: it for account, it in service["accounts"].items() if account == ACCOUNT},
        "waivers": service["waivers"] if variables.get(f"{name}_waivers") else [],
        "ports": [],
    }, []


def endpoint_identities(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return service -> where it is and which models answer there: figures of another endpoint are no baseline."""
    return {
        name: " ".join([its["base_url"], *(model["name"] for model in its["models"].values())])
        for name, its in stack.get("external", {}).items()
    }


def pack_secrets(secrets: Mapping[str, Secrets]) -> str:
    """Return service -> secrets on their way to a module: one string, which Ansible does not log."""
    return json.dumps({name: its._asdict() for name, its in secrets.items()})


def unpack_secrets(text: str) -> dict[str, Secrets]:
    """Return what `pack_secrets` was given; "" is nothing."""
    found = {name: Secrets(**its) for name, its in json.loads(text or "{}").items()}
    for its in found.values():
        register_secrets(its.passwords.values())
    return found
