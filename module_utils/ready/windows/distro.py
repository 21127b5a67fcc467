# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a distro must hold inside: its account, its configuration, proxy and certificates of Windows."""

from __future__ import annotations

import base64
import hashlib
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..host import engine_proxy
from . import proxies
from .config import Sections, ini_values, merge_ini

PROXY_FILES = ("/etc/profile.d/ready-proxy.sh", "/etc/apt/apt.conf.d/95ready-proxy")
SUDOERS = "/etc/sudoers.d/ready"
CA_FOLDER = "/usr/local/share/ca-certificates"
_OCTETS = re.compile(r"(\d{1,3}(?:\.\d{1,3}){0,2})(?:\.\*)+")
_BYPASSED = re.compile(r"[a-z0-9._:\[\]-]+")


@dataclass(frozen=True)
class Options:
    """What the inventory asks of WSL; names as the variables, without their prefix.

    `script_sha256` is that of the script that the task which keeps the distro runs.
    """

    distribution: str
    location: str
    user: str
    msi_version: str = ""
    msi_source: str = ""
    msi_sha256: str = ""
    rootfs_source: str = ""
    rootfs_sha256: str = ""
    adopt: bool = False
    allow_reboot: bool = False
    allow_shutdown: bool = False
    config: Sections = field(default_factory=dict)
    conf: Sections = field(default_factory=dict)
    proxy: str = ""
    no_proxy: str = ""
    keepalive: bool = True
    needed_by: Sequence[str] = ()
    password_given: bool = False
    disk_limit: int = 0
    script_sha256: str = ""


def proxy_of(state: Mapping[str, Any], options: Options) -> str:
    """Return the proxy for the distro as a URL, "" for none; `windows` means what counts for the account."""
    return options.proxy if options.proxy != "windows" else proxies.url_of(proxies.proxy_in_use(state).server)


def no_proxy_form(entry: str) -> str:
    """Return an exception of Windows' proxy as `no_proxy` says it, "" for one that it has no form for."""
    name = entry.lower().partition("://")[2] or entry.lower()
    if found := _OCTETS.fullmatch(name):
        octets = found[1].split(".")
        return f"{'.'.join([*octets, *['0'] * (4 - len(octets))])}/{8 * len(octets)}"
    name = name.removeprefix("*") if name.startswith("*.") else name
    return name if name == "*" or _BYPASSED.fullmatch(name) else ""


def exceptions(state: Mapping[str, Any]) -> list[str]:
    """Return the exceptions of Windows' proxy, as Windows says them."""
    return re.split(r"[;,\s]+", proxies.proxy_in_use(state).bypass.strip("; \t"))


def no_proxy_of(state: Mapping[str, Any], options: Options) -> str:
    """Return what the distro reaches without a proxy: what is asked for, with Windows' exceptions to its own proxy."""
    names = options.no_proxy.split(",")
    if options.proxy == "windows":
        names += [no_proxy_form(entry) for entry in exceptions(state)]
    return ",".join(dict.fromkeys(name.strip() for name in names if name.strip()))


def _pem(der: str) -> str:
    body = "\n".join(textwrap.wrap(base64.b64encode(base64.b64decode(der)).decode(), 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def files_of(state: Mapping[str, Any], options: Options) -> dict[str, tuple[str, str]]:
    """Return path -> (mode, text) of the files inside the distro that are Ready's alone."""
    files = {SUDOERS: ("0440", f"{options.user} ALL=(ALL) NOPASSWD:ALL\n")}
    proxy, without = proxy_of(state, options), no_proxy_of(state, options)
    if proxy:
        files[engine_proxy.WINDOWS_FILE] = ("0600", engine_proxy.proxy_file(proxy, without))
        names = {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": without}
        lines = [f"export {name}='{value}'" for key, value in names.items() if value for name in (key, key.upper())]
        files[PROXY_FILES[0]] = ("0644", "\n".join(lines) + "\n")
        files[PROXY_FILES[1]] = ("0644", "".join(f'Acquire::{kind}::Proxy "{proxy}";\n' for kind in ("http", "https")))
    for certificate in (state["surroundings"] or {}).get("certificates", []):
        path = f"{CA_FOLDER}/ready-{certificate['thumbprint'].lower()}.crt"
        files[path] = ("0644", _pem(certificate["der"]))
    return files


def conf_of(values: Mapping[str, str], options: Options) -> tuple[str, bool]:
    """Return wsl.conf as it must be, and whether that differs from what is there."""
    held = values.get("wsl_conf", "")
    wanted: dict[str, Any] = {"boot": {"systemd": True}, "user": {"default": options.user}}
    for section, keys in options.conf.items():
        wanted[section] = {**wanted.get(section, {}), **keys}
    merged = merge_ini(held, wanted)
    return merged, ini_values(merged) != ini_values(held)


def orders(state: Mapping[str, Any], options: Options) -> tuple[str, bool]:
    """Return what distro_configure.sh has to do, and whether the distro must then be restarted.

    Without a look inside (a distro that is not there yet) that is everything.
    """
    values = (state["inside"] or {}).get("values", {})
    found: list[str] = []
    users = {line.partition(":")[0] for line in values.get("users", "").splitlines()}
    if options.user != "root" and options.user not in users:
        found.append(f"user {options.user}")
    conf, restart = conf_of(values, options)
    if restart:
        found.append(f"file 0644 /etc/wsl.conf {base64.b64encode(conf.encode()).decode()}")
    held = {
        words[1]: words[0]
        for line in (values.get("files", "") + values.get("certificates", "")).splitlines()
        if len(words := line.split()) == 2
    }
    wanted = files_of(state, options)
    changed_ca = False
    for path, (mode, text) in wanted.items():
        if held.get(path) != hashlib.sha256(text.encode()).hexdigest():
            found.append(f"file {mode} {path} {base64.b64encode(text.encode()).decode()}")
            changed_ca |= path.startswith(CA_FOLDER)
    for path in held:
        if path not in wanted:
            found.append(f"remove {path}")
            changed_ca |= path.startswith(CA_FOLDER)
    if changed_ca:
        found.append("certificates")
    return "".join(f"{line}\n" for line in found), restart
