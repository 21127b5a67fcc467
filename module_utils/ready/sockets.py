# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which sockets listen where, by the kernel's own tables. Pure functions over /proc/net."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_LISTEN, _UNCONNECTED = "0A", "07"
_LOCAL = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")


def _address(text: str) -> str:
    raw = bytes.fromhex(text)  # 32-bit words, each in the machine's order: little-endian on all that Docker runs on
    words = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    address = ipaddress.ip_address(words)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def listening(tables: str) -> list[tuple[str, str, int]]:
    """Return (protocol, address, port) of each listening TCP and each unconnected UDP socket.

    Args:
        tables: /proc/net/tcp, tcp6, udp and udp6, one after another in any order; each begins with the kernel's
            header line. TCP and UDP are told apart by the state, because UDP sockets never listen.
    """
    found = set()
    for line in tables.splitlines():
        fields = line.split()
        if len(fields) < 4 or ":" not in fields[1]:
            continue
        address, _, port = fields[1].partition(":")
        if fields[3] == _LISTEN:
            found.add(("tcp", _address(address), int(port, 16)))
        elif fields[3] == _UNCONNECTED and fields[2].endswith(":0000"):
            found.add(("udp", _address(address), int(port, 16)))
    return sorted(found)


def open_beyond_loopback(sockets: Iterable[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """Return the sockets that somebody else than the machine (or container) itself could reach."""
    return [item for item in sockets if not ipaddress.ip_address(item[1]).is_loopback]


def shown(sockets: Iterable[tuple[str, str, int]]) -> str:
    """Return sockets as a text: tcp 0.0.0.0:5432, tcp [::]:5432."""
    return (
        ", ".join(f"{proto} {f'[{host}]' if ':' in host else host}:{port}" for proto, host, port in sockets) or "none"
    )


def own_addresses(fib_trie: str, if_inet6: str) -> list[str]:
    """Return the machine's addresses that others may reach, from /proc/net/fib_trie and /proc/net/if_inet6."""
    found = set(_LOCAL.findall(fib_trie))
    for line in if_inet6.splitlines():
        digits, _, _, scope, *_ = line.split()
        if scope == "00":  # global; link-local addresses need an interface as well
            found.add(str(ipaddress.ip_address(bytes.fromhex(digits))))
    return sorted(address for address in found if not ipaddress.ip_address(address).is_loopback)
