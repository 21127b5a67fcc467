# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make the files of a gateway's HAProxy: routes, limits, maps of keys. Runs on the controller.

A key is the password of an account; whoever has it sends it as a bearer token. HAProxy reads keys from files of mode
0400 alone: its configuration, whose lines it quotes when it refuses them, holds none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .resolved import SERVER

#: Requests of one period that the account which meets a 429 on purpose may send.
THROTTLED = 3
#: The account whose limit that is.
THROTTLE = "throttle"
#: Wrong keys of one address in ten seconds, beyond which it gets 429 until it sends fewer.
FAILURES = 100
#: Seconds for which a stop or a reload waits for answers under way, beyond the longest one.
_SPARE = 60
_METHODS = {"text": "GET POST PUT PATCH DELETE", "openai": "GET POST"}
#: What HAProxy says by itself: status -> (code, text).
_OWN = {
    400: ("bad_request", "the request is not HTTP as it should be"),
    408: ("request_timeout", "the request was not sent in time"),
    500: ("gateway_error", "the gateway failed"),
    502: ("bad_gateway", "the service behind the gateway broke off or sent no HTTP"),
    503: ("unavailable", "the service behind the gateway is not available"),
    504: ("gateway_timeout", "the service behind the gateway did not answer in time"),
}
#: What the gateway refuses: name -> (status, code, text).
_REFUSALS = {
    "no_key": (401, "invalid_api_key", "a valid bearer token is needed"),
    "failures": (429, "too_many_wrong_keys", "too many wrong keys from this address"),
    "rate": (429, "rate_limit_exceeded", "too many requests with this key"),
    "queue": (429, "queue_full", "too many requests at once"),
    "method": (405, "method_not_allowed", "this method is not allowed here"),
    "path": (404, "not_found", "there is nothing at this path"),
    "length": (411, "length_required", "a Content-Length is needed"),
    "size": (413, "request_too_large", "the request is too large"),
}


@dataclass(frozen=True)
class Limits:
    """What a gateway lets through."""

    requests: int  #: of one account in a period
    seconds: int  #: a period
    connections: int  #: at once, of all clients
    body_bytes: int  #: of one request
    at_once: int | None  #: to one port of the service, waiting ones included; None for as many as connections allow


def limits_of(service: Mapping[str, Any]) -> Limits:
    """Return the limits of a resolved gateway: by `rate` and `gateway`, else by `settings`."""
    if "rate" in service:
        rate, its = service["rate"], service["gateway"]
        requests, seconds = int(rate["requests"]), int(rate["seconds"])
    else:
        its = service["settings"]
        requests, seconds = int(its["requests_per_second"]), 1
    at_once = its.get("at_once")
    return Limits(
        requests,
        seconds,
        int(its["connections"]),
        int(its["body_bytes"]),
        None if at_once is None else int(at_once),
    )


def _backends(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one backend for each port behind the gateway: {name, port, answer_seconds, paths}.

    Each of `paths` has its `match`: one that ends in a slash is that of all below it.
    """
    found: dict[int, dict[str, Any]] = {}
    for route in service["fronts"]["routes"]:
        name = f"{service['fronts']['service']}_{route['port']}"
        empty = {"name": name, "port": route["port"], "answer_seconds": 0, "paths": []}
        its = found.setdefault(route["port"], empty)
        seconds = route["answer_seconds"] if "answer_seconds" in route else service["gateway"]["answer_seconds"]
        its["answer_seconds"] = max(its["answer_seconds"], int(seconds))
        match = "path_beg" if route["path"].endswith("/") else "path"
        its["paths"].append({"path": route["path"], "match": match})
    return list(found.values())


def _body(form: str, status: int, code: str, text: str) -> str:
    """Return an answer's body as a quoted word of HAProxy's configuration."""
    if form == "text":
        return f'"{text}\\n"'
    kind = "server_error" if status >= 500 else "invalid_request_error" if status != 429 else "requests"
    return f"'{json.dumps({'error': {'message': text, 'type': kind, 'param': None, 'code': code}})}'"


def _answers(form: str) -> dict[str, Any]:
    """Return {own, refusals}: HAProxy's words for each answer, from its status to its body."""
    mime = "text/plain" if form == "text" else "application/json"
    refusals = {
        name: f"status {status} content-type {mime} string {_body(form, status, code, text)}"
        for name, (status, code, text) in _REFUSALS.items()
    }
    own = [
        f"status {status} content-type {mime} string {_body(form, status, code, text)}"
        for status, (code, text) in _OWN.items()
    ]
    return {"own": own, "refusals": refusals}


def context(service: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template of HAProxy's configuration takes, as its key `front`; no key is in it.

    Args:
        service: the resolved definition with `fronts`; of a sidecar with what it takes of its service.
    """
    fronts, limits, backends = service["fronts"], limits_of(service), _backends(service)
    longest = max(its["answer_seconds"] for its in backends)
    return {
        "service": fronts["service"],
        "health": fronts["health"],
        "backends": backends,
        "limits": limits,
        "failures": FAILURES,
        "port": service["ports"][0]["container"],
        "tls": bool(service["tls"]["enabled"]),
        "threads": max(1, round(service["limits"]["cpus"])),
        "longest": longest,
        "stop_after": longest + _SPARE,
        "methods": _METHODS[fronts["form"]],
        "api_key": fronts["form"] == "openai",
        **_answers(fronts["form"]),
    }


def maps(
    service: Mapping[str, Any],
    passwords: Mapping[str, str],
    previous: Mapping[str, str],
    rotated: Mapping[str, int],
) -> dict[str, str]:
    """Return file name -> text of the maps that HAProxy reads keys and limits from.

    They do not depend on the time: a key that was replaced stands there with the end of its validity, which HAProxy
    compares with its clock.

    Args:
        service: see `context`.
        passwords: account -> password.
        previous: account -> the password before the last rotation.
        rotated: account -> when that was, in seconds since 1970; one without is not valid any more.
    """
    limits, overlap = limits_of(service), int(service["key_overlap"])
    keys = {password: (account, 0) for account, password in passwords.items() if account != SERVER}
    for account, password in previous.items():
        if account in passwords and account != SERVER and account in rotated and overlap:
            keys.setdefault(password, (account, rotated[account] + overlap))
    upstream = {SERVER: passwords[SERVER]} if SERVER in passwords else {}
    of_account = {name: THROTTLED if name == THROTTLE else limits.requests for name in passwords if name != SERVER}
    return {
        "keys.map": _map({key: account for key, (account, _) in keys.items()}),
        "until.map": _map({key: until for key, (_, until) in keys.items()}),
        "limits.map": _map(of_account),
        "upstream.map": _map(upstream),
    }


def overlap_ends(stack: Mapping[str, Any], rotated: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return service -> when the last of its old keys ends, in seconds since 1970, where they are valid for a while.

    Args:
        stack: the resolved stack.
        rotated: service -> account -> see `maps`.
    """
    return {
        name: max(times.values()) + int(stack["services"][name]["key_overlap"])
        for name, times in rotated.items()
        if times and stack["services"][name].get("key_overlap")
    }


def overlaps(ends: Mapping[str, int], names: Iterable[str]) -> str:
    """Return what follows the news that these services have new passwords: until when the old ones are valid."""
    until = {name: datetime.fromtimestamp(ends[name], timezone.utc) for name in names if name in ends}
    return "".join(f"; {name} takes the old keys until {end:%Y-%m-%d %H:%M:%S} UTC" for name, end in until.items())


def _map(entries: Mapping[str, object]) -> str:
    return "".join(f"{key} {value}\n" for key, value in sorted(entries.items()))
