"""The kernel's socket tables, as recorded in containers of this project and on a host."""

from __future__ import annotations

import pytest
from ready.host.sockets import Socket, listening, open_beyond_loopback, own_addresses, parse_sockets, sockets_text
from ready.security.container_facts import parse_inside

ANY = "0.0.0.0"  # noqa: S104
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0B00007F:8E21 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 82745 1 0000000000000000 100
   1: 00000000:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 82769 1 0000000000000000 100
   2: 0100007F:84DC 0100007F:18EB 06 00000000:00000000 03:0000088E 00000000     0        0 0 3 0000000000000000
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
   0: 00000000000000000000000000000000:18EB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   1: 0000000000000000FFFF0000050012AC:1538 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   2: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
"""
UDP = """\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1234: 0B00007F:D76D 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 82744 2 0000000000000000 0
 1235: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 82744 2 0000000000000000 0
 1236: 050012AC:9999 08080808:0035 07 00000000:00000000 00:00000000 00000000     0        0 82744 2 0000000000000000 0
"""
FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 172.18.0.0/16 2 0 2
        +-- 172.18.0.0/31 1 0 0
           |-- 172.18.0.0
              /16 link UNICAST
           |-- 172.18.0.1
              /32 host LOCAL
     |-- 192.0.2.2
        /32 host LOCAL
"""
IF_INET6 = """\
fd000000000000000000000000000002 04 40 00 82     eth0
fe80000000000000004211fffed30dfe 0f 40 20 80 br-a38d72067a06
00000000000000000000000000000001 01 80 10 80       lo
"""


def test_listening() -> None:
    """TCP that listens and UDP that anybody may send to; neither connections nor those on their way out."""
    assert listening(TCP + TCP6 + UDP) == [
        ("tcp", ANY, 6379),
        ("tcp", "127.0.0.11", 36385),
        ("tcp", "172.18.0.5", 5432),
        ("tcp", "::", 6379),
        ("tcp", "::1", 3000),
        ("udp", ANY, 5353),
        ("udp", "127.0.0.11", 55149),
    ]
    assert listening("") == []


def test_beyond_loopback() -> None:
    """Docker's own name server and ::1 are the container's alone."""
    found = open_beyond_loopback(listening(TCP + TCP6 + UDP))
    assert sockets_text(found) == "tcp 0.0.0.0:6379, tcp 172.18.0.5:5432, tcp [::]:6379, udp 0.0.0.0:5353"
    assert sockets_text([]) == "none"


def test_own_addresses() -> None:
    """What others can reach: neither loopback nor link-local, nor networks and broadcasts."""
    assert own_addresses(FIB_TRIE, IF_INET6) == ["172.18.0.1", "192.0.2.2", "fd00::2"]


@pytest.mark.parametrize("written", ["refused", "written"])
def test_what_one_exec_prints(written: str) -> None:
    """Status, sockets and the outcome of the write are distinguished."""
    status = "Name:\tredis-server\nUid:\t999\t999\t999\t999\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n"
    found = parse_inside(f"{status}---\n{TCP}{UDP}---\n{written}\n")
    assert found["kernel"] == {"Uid": "999\t999\t999\t999", "CapEff": "0000000000000000", "NoNewPrivs": "1"}
    assert ["tcp", ANY, 6379] in found["sockets"]
    assert found["root_write"] == written


def test_a_socket_has_its_inode() -> None:
    """Of the sockets that listen, by which its process is found; a mapped address stays as the kernel has it."""
    table = TCP.splitlines(keepends=True)
    assert list(parse_sockets("".join(table[:2]))) == [Socket("tcp", "127.0.0.11", 36385, "82745")]
    assert [its.address for its in parse_sockets(TCP6)][1] == "::ffff:172.18.0.5"
