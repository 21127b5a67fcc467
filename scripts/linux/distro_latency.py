# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measures inside of the distro what scripts/windows/latency.ps1 measures on Windows, by the same questions.

usage: distro_latency.py BASE64 of {"targets": ["name|port|protocol"], "samples": 50, "timeout": milliseconds}.
No quotes pass through wsl.exe. Prints what latency.ps1 prints.
"""

from __future__ import annotations

import base64
import json
import socket
import sys
import time

WARM_UP = 5
QUESTIONS = {
    "http": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "redis": b"PING\r\n",
    "postgresql": bytes([0, 0, 0, 8, 4, 210, 22, 47]),
    "bolt": bytes([0x60, 0x60, 0xB0, 0x17, 0, 4, 4, 5, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]),
}


def measure(target: str, samples: int, timeout: float) -> dict[str, object]:
    """Return a target's measurements, as latency.ps1 does."""
    name, port, protocol = target.split("|")
    question = QUESTIONS.get(protocol)
    connects: list[float] = []
    trips: list[float] = []
    problem = None
    for number in range(samples + WARM_UP):
        try:
            begin = time.perf_counter()
            with socket.create_connection(("127.0.0.1", int(port)), timeout) as way:
                connected = time.perf_counter()
                way.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if question:
                    asked = time.perf_counter()
                    way.sendall(question)
                    if not way.recv(1):
                        raise ConnectionError("the connection was closed without an answer")
                    answered = time.perf_counter()
        except OSError as error:
            problem = str(error)
            break
        if number >= WARM_UP:
            connects.append(round((connected - begin) * 1000, 4))
            if question:
                trips.append(round((answered - asked) * 1000, 4))
    return {
        "name": name,
        "port": int(port),
        "protocol": protocol,
        "connect_ms": connects,
        "round_trip_ms": trips,
        "error": problem,
    }


if __name__ == "__main__":
    given = json.loads(base64.b64decode(sys.argv[1]))
    found = [measure(item, given["samples"], given["timeout"] / 1000) for item in given["targets"]]
    print(json.dumps({"targets": found}))
