# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the inventory asks of the network of a Windows host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .config import Sections
from .firewall_openings import Opening


@dataclass(frozen=True)
class Options:
    """What the inventory asks for.

    `public`: whether rules may hold on Public networks. `script_sha256` is that of the script that renews port
    proxies, `config` what role wsl2 merges into .wslconfig.
    """

    stack: str
    distribution: str
    ports: Sequence[Mapping[str, Any]]
    allow: Sequence[Mapping[str, Any]]
    mode: str = "nat"
    backend: str = "desktop"
    follow: bool = True
    public: bool = False
    password_given: bool = False
    script_sha256: str = ""
    config: Sections = field(default_factory=dict)


def openings(options: Options) -> list[Opening]:
    """Return windows_network_allow, typed. What an engine in the distro publishes is in the distro."""
    inside = {int(port["port"]) for port in options.ports} if options.backend == "engine" else set()
    found = []
    for item in options.allow:
        native = bool(item.get("native")) or int(item["port"]) in inside
        via: Literal["windows", "proxy", "hyperv"] = "windows"
        if native:
            via = "hyperv" if options.mode == "mirrored" else "proxy"
        found.append(Opening(str(item["name"]), int(item["port"]), tuple(map(str, item["remote"])), via))
    return found
