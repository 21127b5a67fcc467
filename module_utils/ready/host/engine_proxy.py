# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide through which proxy the Docker daemon pulls, which it reads from a file that root alone can read.

A proxy's URL may hold a password. So it is not `proxies` in daemon.json: anybody may read that file, facts hold it, and
Docker before 23 does not start with that key (Debian 12 has 20.10). Nor is it `Environment=` in a unit, which
`systemctl show` tells anybody.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

PROXY_FILE = "/etc/docker/ready-proxy.env"
#: What role wsl2 leaves in a distro: the proxy that Windows uses.
WINDOWS_FILE = "/etc/ready/windows-proxy.env"
DROP_IN = "/etc/systemd/system/docker.service.d/ready-proxy.conf"
#: Read by the service script, and by role docker_engine where it starts the daemon directly.
DEFAULTS = "/etc/default/docker"
UNIT = f"# Made by Ready, role docker_engine.\n[Service]\nEnvironmentFile=-{PROXY_FILE}\n"
LINE = f"[ ! -f {PROXY_FILE} ] || {{ set -a; . {PROXY_FILE}; set +a; }} # made by Ready"
AUTO = "auto"
#: Both systemd and a shell read 'such a text' as it is.
_PLAIN = re.compile(r"[^'\\\s\x00-\x1f\x7f]*")


class ProxyError(ValueError):
    """A proxy's URL that cannot be used. Its text does not hold the URL, which may hold a password."""


def proxy_file(url: str, no_proxy: str) -> str:
    """Return the file for a proxy: lines that systemd and a shell both read. Raises ProxyError.

    Args:
        url: the proxy, such as http://user:password@proxy:3128.
        no_proxy: what is reached without it, by commas.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # its text would say the URL
        parts = urlsplit("")
    if parts.scheme not in {"http", "https", "socks5"} or not parts.hostname:
        raise ProxyError("the proxy is no URL of http, https or socks5 with a host")
    if not _PLAIN.fullmatch(url) or not _PLAIN.fullmatch(no_proxy):
        raise ProxyError(
            "the proxy, or what is reached without it, holds a space, a quote or a backslash; use %20, %27, %5C"
        )
    values = {"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": no_proxy}
    return "".join(f"{name}='{value}'\n" for name, value in values.items() if value)


def _sum(text: str | None) -> str | None:
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def proxy_facts(read: Callable[[str], str | None]) -> dict[str, Any]:
    """Return what there is on a host, by check sums: no text that may hold a password.

    Args:
        read: path -> text, None for a file that is not there.
    """
    return {
        "windows": _sum(read(WINDOWS_FILE)),
        "own": _sum(read(PROXY_FILE)),
        "unit": read(DROP_IN) == UNIT,
        "script": LINE in (read(DEFAULTS) or "").splitlines(),
    }


def proxy_plan(found: Mapping[str, Any], proxy: str, no_proxy: str, method: str) -> dict[str, Any]:
    """Return {source, write, remove, unit, script, differs}: what is to be done so that the daemon has its proxy.

    Args:
        found: what `facts` returned.
        proxy: a URL, "" for none, or `auto` for what role wsl2 left of Windows' proxy.
        no_proxy: what is reached without it; `auto` has its own.
        method: how the daemon is started (systemd, service, dockerd).

    Raises ProxyError.
    """
    wanted = found["windows"] if proxy == AUTO else _sum(proxy_file(proxy, no_proxy)) if proxy else None
    systemd = method == "systemd"
    result = {
        "source": "" if wanted is None else "windows" if proxy == AUTO else "given",
        "write": wanted is not None and wanted != found["own"],
        "remove": wanted is None and any(found[key] for key in ("own", "unit", "script")),
        "unit": wanted is not None and systemd and not found["unit"],
        "script": wanted is not None and not systemd and not found["script"],
    }
    return result | {"differs": any(result[key] for key in ("write", "remove", "unit", "script"))}
