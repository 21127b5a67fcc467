# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read which sockets listen where, from /proc/net. Pure functions."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_LISTEN, _UNCONNECTED = "0A", "07"
_LOCAL = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")


class Socket(NamedTuple):
    """A socket that waits for others: "tcp" or "udp", its address and port, and its inode, "" where there is none."""

    protocol: str
    address: str
    port: int
    inode: str


def _address(text: str) -> str:
    raw = bytes.fromhex(text)  # 32-bit words, each in the machine's order: little-endian on all that Docker runs on
    words = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    address = ipaddress.ip_address(words)
    mapped = getattr(address, "ipv4_mapped", None)
    return f"::ffff:{mapped}" if mapped else str(address)


def _without_mapping(text: str) -> str:
    """Return the IPv4 address that an IPv6 socket was bound to, any other one as it is."""
    return str(getattr(ipaddress.ip_address(text), "ipv4_mapped", None) or text)


def parse_sockets(tables: str) -> Iterator[Socket]:
    """Yield each listening TCP and each unconnected UDP socket, in the order of the tables.

    Args:
        tables: /proc/net/tcp, tcp6, udp and udp6, one after another in any order; each begins with the kernel's
            header line. TCP and UDP are distinguished by the state, because UDP sockets never listen.
    """
    for line in tables.splitlines():
        fields = line.split()
        if len(fields) < 4 or ":" not in fields[1]:
            continue
        address, _, port = fields[1].partition(":")
        inode = fields[9] if len(fields) > 9 else ""
        if fields[3] == _LISTEN:
            yield Socket("tcp", _address(address), int(port, 16), inode)
        elif fields[3] == _UNCONNECTED and fields[2].endswith(":0000"):
            yield Socket("udp", _address(address), int(port, 16), inode)


def listening(tables: str) -> list[tuple[str, str, int]]:
    """Return (protocol, address, port) of each socket of `parse_sockets`, with the IPv4 address of a mapped one."""
    return sorted({(its.protocol, _without_mapping(its.address), its.port) for its in parse_sockets(tables)})


def open_beyond_loopback(sockets: Iterable[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """Return the sockets that somebody else than the machine (or container) itself could reach."""
    return [item for item in sockets if not ipaddress.ip_address(item[1]).is_loopback]


def sockets_text(sockets: Iterable[tuple[str, str, int]]) -> str:
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
