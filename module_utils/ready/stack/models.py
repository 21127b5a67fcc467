# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Resolve the models of a service: those of its image, or a site's own. Pure functions over plain data.

A site's own model is a GGUF file, by a path on the host or by a URL. It is copied into the service's volume of copies,
where its name is its SHA-256: what is there under that name was verified.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..common.finding import Finding
from ..common.input_value import kind_of
from ..common.units import mib
from ..common.verdict import FAIL, PASS
from .resolved import copy_volumes, short_model

#: Bytes that stay free beside the copies: the databases of the stack write to the same disk.
DISK_LEFT = 2**30
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,62}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEYS = ("name", "file", "url", "sha256")


def masked(url: str) -> str:
    """Return a URL without what may be a secret in it: user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a text that is no URL"
    host = parts.netloc.rpartition("@")[2]
    login = "***@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{login}{host}{parts.path}{'?***' if parts.query else ''}"


def _url_fault(url: str) -> str:
    """Return what is wrong with the URL of a model; "" when it can be asked."""
    expected = "expected an http or https URL such as https://models.example/own.gguf"
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if fits and url.isprintable() and " " not in url:
        return ""
    return f"found {masked(url)}, {expected}"


def _source_fault(wanted: Mapping[str, Any]) -> str:
    """Return what is wrong with where the file is; "" when it can be looked for."""
    given = [key for key in ("file", "url") if wanted.get(key)]
    if len(given) != 1:
        return f"found {' and '.join(given) or 'neither file nor url'}, expected one of file and url"
    value = wanted[given[0]]
    if not isinstance(value, str):
        return f"{given[0]}: found {kind_of(value)}, expected a text"
    if given[0] == "url":
        return f"url: {fault}" if (fault := _url_fault(value)) else ""
    if not value.startswith("/") or not value.isprintable():
        return f"file: found {value!r}, expected an absolute path on the host such as /srv/models/own.gguf"
    return ""


def _role_faults(wanted: Any, own: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the inventory's model for one role."""
    if not isinstance(wanted, Mapping):
        yield f"found {kind_of(wanted)}, expected a mapping such as {{name: …, file: …, sha256: …}}"
        return
    known = [*_KEYS, *(["dimensions"] if "dimensions" in own else [])]
    if unknown := sorted(str(key) for key in set(wanted) - set(known)):
        yield f"found the unknown key {', '.join(unknown)}, expected some of {', '.join(known)}"
    if not _NAME.fullmatch(str(wanted.get("name") or "")):
        yield (
            f"name: found {wanted.get('name')!r}, expected the name that clients ask for: at most 63 of letters, "
            "digits and . _ : / -, a letter or digit first"
        )
    if fault := _source_fault(wanted):
        yield fault
    if not _SHA256.fullmatch(str(wanted.get("sha256") or "").lower()):
        yield f"sha256: found {wanted.get('sha256')!r}, expected the 64 hexadecimal digits that sha256sum prints"
    if "dimensions" in own:
        number = wanted.get("dimensions")
        if isinstance(number, bool) or not str(number).isdigit() or not 0 < int(str(number)) < 65536:
            yield f"dimensions: found {number!r}, expected how many numbers the model makes of a text, 1 to 65535"


def resolve_models(service: dict[str, Any], wanted: Any) -> list[str]:
    """Make `models` of a service what the inventory says, in place; return a message per fault.

    A model of the image stays {name, file, sha256}, with `dimensions` where it has them. A site's own one has its file
    in the volume of copies, and `source` {file} or {url}, where the URL has no secret in it.

    Args:
        service: the service, its `models` as the definition has them.
        wanted: the variable <service>_models; None when the inventory has none.
    """
    variable, defined = f"{service['name']}_models", service["models"]
    wanted = {} if wanted is None else wanted
    if not isinstance(wanted, Mapping):
        return [
            f"{variable}: found {kind_of(wanted)}, expected a mapping such as {{chat: {{name: …, file: …, sha256: …}}}}"
        ]
    after = "Nothing was changed. Next: correct it; docs/roles/ai.md shows one"
    if unknown := sorted(str(role) for role in set(wanted) - set(defined)):
        return [f"{variable}: found {', '.join(unknown)}, expected some of {', '.join(defined)}. {after}"]
    faults = [
        f"{variable}.{role}: {fault}. {after}"
        for role, its in wanted.items()
        for fault in _role_faults(its, defined[role])
    ]
    if faults:
        return faults
    place = copy_volumes(service)[0]["path"] if wanted else ""
    resolved = {}
    for role, own in defined.items():
        its = wanted.get(role) or own
        sha256 = str(its["sha256"]).lower()
        resolved[role] = {"name": its["name"], "file": own["file"], "sha256": sha256}
        if "dimensions" in own:
            resolved[role]["dimensions"] = int(its["dimensions"])
        if role in wanted:
            source = {"file": its["file"]} if its.get("file") else {"url": masked(its["url"])}
            resolved[role] |= {"file": f"{place}/{sha256}.gguf", "source": source}
    service["models"] = resolved
    return []


def model_urls(wanted: Any) -> dict[str, str]:
    """Return SHA-256 -> URL, with whatever secret is in it, of the models that <service>_models fetches."""
    its = wanted.values() if isinstance(wanted, Mapping) else []
    return {str(model["sha256"]).lower(): str(model["url"]) for model in its if model.get("url")}


def own_models(service: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return SHA-256 -> model of a resolved service's models that are a site's own; two may be the same file."""
    return {its["sha256"]: its for its in service.get("models", {}).values() if "source" in its}


def missing_models(service: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return SHA-256 -> own model that is not known to be in the service's volume.

    Args:
        service: the resolved service.
        found: what `stack_state` read of it.
    """
    held = found.get("models", {}).get("held", [])
    return {sha256: its for sha256, its in own_models(service).items() if sha256 not in held}


def services_with_missing_models(stack: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """Return the services that have an own model which is not known to be in their volume."""
    return [name for name, its in stack["services"].items() if missing_models(its, state["services"].get(name, {}))]


def has_unnamed_copies(found: Mapping[str, Any]) -> bool:
    """Return whether a volume may hold copies that nothing names: a run that copied did not come to its end."""
    return bool(found.get("models", {}).get("uncleared"))


def model_source(model: Mapping[str, Any]) -> str:
    """Return where an own model comes from, for people."""
    return str(next(iter(model["source"].values())))


def plan_lines(service: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return what `up` does about a service's models, a line each."""
    volume = ", ".join(volume["name"] for volume in copy_volumes(service))
    lines = [
        f"have the model {short_model(its)} of {model_source(its)} in {volume}"
        for its in missing_models(service, found).values()
    ]
    if not lines and has_unnamed_copies(found):
        lines.append(f"remove from {volume} the models that nothing names")
    return lines


def model_names(stack: Mapping[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
    """Return service -> role -> {name, sha256, from} of a stack's models, for the manifest of a set."""
    return {
        name: {
            role: {
                "name": its["name"],
                "sha256": its["sha256"],
                "from": model_source(its) if "source" in its else "the image",
            }
            for role, its in service["models"].items()
        }
        for name, service in stack["services"].items()
        if service.get("models")
    }


def stateless_line(service: str, roles: Mapping[str, Mapping[str, str]]) -> str:
    """Return what `backup` says of a service with models, as `model_names` returns them: sets have no part of it."""
    named = ", ".join(f"{its['name']} {its['sha256'][:12]}" for its in roles.values())
    return f"{service}: keeps no state; the set names its models and does not contain them: {named}"


def models_not_in_stack(manifest: Mapping[str, Any], stack: Mapping[str, Any]) -> list[str]:
    """Return a line per model that a set was made beside and that the stack has not: sets do not contain them.

    Args:
        manifest: the set's; one of an earlier release names no models.
        stack: the resolved stack that takes the set.
    """
    have = model_names(stack)
    lines = []
    for name, roles in manifest.get("models", {}).items():
        for role, its in roles.items():
            now = have.get(name, {}).get(role)
            if now and now["sha256"] == its["sha256"]:
                continue
            found = f"{short_model(now)} here" if now else f"no {name} here"
            lines.append(
                f"{name}: set {manifest['id']} was made beside the {role} model {short_model(its)} "
                f"(from {its['from']}) and does not contain it: found {found}. Next: where it is wanted, set "
                f"{name}_models.{role} in the inventory, then ./ready up"
            )
    return lines


def disk_fault(wanted: Iterable[int], facts: Mapping[str, Any]) -> tuple[str, str]:
    """Return what of the disk does not fit copies, and what is expected; two empty texts when it does.

    Args:
        wanted: bytes of each file that is copied.
        facts: what `host_facts` read.
    """
    disk, needed = facts["disk"]["docker"], sum(wanted)
    if not facts["docker"]["local"] or disk["free"] >= needed + DISK_LEFT:
        return "", ""
    return (
        f"{mib(disk['free'])} free at {disk['path']}",
        f"{mib(needed)} for the copies, and {mib(DISK_LEFT)} that stay free",
    )


def check(looked: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any]) -> list[Finding]:
    """Return what `preflight` says about models that are to be copied; nothing when none is.

    Args:
        looked: SHA-256 -> {model, bytes, fault} as the module `model_files` returned it.
        facts: what `host_facts` read.
    """
    if not looked:
        return []
    title, expected = "Models", "files with the SHA-256 that the inventory names, and room for their copies"
    if faults := [f"{its['model']}: {its['fault']}" for its in looked.values() if its["fault"]]:
        found, after = "; ".join(faults), "correct the file, its URL or its sha256 in the inventory"
        return [Finding("models", title, FAIL, found, expected, after)]
    found, room = disk_fault((its["bytes"] for its in looked.values()), facts)
    if found:
        return [Finding("models", title, FAIL, found, room, "make room on that disk")]
    copies = ", ".join(f"{its['model']} ({mib(its['bytes'])})" for its in looked.values())
    return [Finding("models", title, PASS, f"to be copied: {copies}", expected)]
