# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The proxies that Windows knows: of the account, of the machine, of services, and those that Ready cannot use."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..common.finding import Finding
from ..common.verdict import PASS, UNKNOWN
from ..host.facts import mask_proxy

#: WinHttpSettings: version, counter, flags, then proxy and exceptions, each behind its length. Microsoft documents the
#: value for no proxy alone ("Use Group Policy to apply WinHTTP proxy settings").
_HEAD = struct.Struct("<IIII")
_MANUAL = 2


class Proxy(NamedTuple):
    """What counts for a program of the connecting account; the script is asked first where there is one."""

    server: str
    bypass: str
    script: str
    machine: bool  # a policy makes the machine's settings count for everybody


def proxy_in_use(state: Mapping[str, Any]) -> Proxy:
    """Return the settings that count: the account's own, or the machine's where a policy says so."""
    around = state["surroundings"] or {}
    machine = around.get("proxy_machine")
    if machine is not None:
        return Proxy(machine["server"] if machine["enabled"] else "", machine["bypass"], machine["script"], True)
    server = str(around.get("proxy_server") or "") if around.get("proxy_enabled") else ""
    return Proxy(server, str(around.get("proxy_bypass") or ""), str(around.get("proxy_script") or ""), False)


def url_of(server: str) -> str:
    """Return a proxy as Windows stores it as one URL, that for https first, "" for none."""
    pairs = dict(entry.partition("=")[::2] for entry in server.split(";") if "=" in entry)
    address = pairs.get("https") or pairs.get("http") or (server if "=" not in server else "")
    return address if "://" in address or not address else f"http://{address}"


def winhttp(settings: str | None) -> str:
    """Return the proxy of WinHTTP, which services use, from its registry value in base64; "" for none."""
    data = base64.b64decode(settings or "")
    if len(data) < _HEAD.size:
        return ""
    _, _, flags, length = _HEAD.unpack_from(data)
    return data[_HEAD.size : _HEAD.size + length].decode("ascii", "replace") if flags & _MANUAL else ""


def _unused(state: Mapping[str, Any], own: Proxy) -> Iterator[str]:
    around = state["surroundings"] or {}
    account = state["account"]["name"] if state["account"] else "the connecting account"
    if own.script:
        whose = "a policy's, for the machine" if own.machine else f"of {account}"
        yield f"the script {mask_proxy(own.script)} ({whose}), which Ready does not run"
    if own.server:
        return
    if services := winhttp(around.get("proxy_winhttp")):
        yield f"{mask_proxy(url_of(services))} for WinHTTP alone (netsh winhttp show proxy)"
    for other in around.get("proxy_others") or []:
        shown = mask_proxy(other["script"] or url_of(other["server"]))
        yield f"{shown} in the settings of {other['owner']}; those of {account} are its own"


def report(state: Mapping[str, Any], asked: str) -> Iterator[Finding]:
    """Yield what Windows knows of proxies, where the inventory takes the proxy from Windows (`asked`: wsl2_proxy)."""
    own = proxy_in_use(state)
    unused = list(_unused(state, own))
    if asked != "windows" or not (unused or own.server):
        return
    taken = f"{mask_proxy(url_of(own.server))}{' (by a policy for the machine)' if own.machine else ''}, which is taken"
    yield Finding(
        "proxy_source",
        "Proxy of Windows",
        UNKNOWN if unused else PASS,
        "; ".join([*([taken] if own.server else []), *unused]),
        "a proxy by name in the connecting account's settings, or wsl2_proxy",
        'set wsl2_proxy to the URL of the proxy that the distro is to use, or to "" for none' if unused else "",
    )
