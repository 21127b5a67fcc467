# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `windows check` measures: the orders for the scripts, and what their answers say together."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..stack.resolved import answering_container
from . import path_overhead, return_path, wsl_output
from .stack_ports import published_ports

#: Milliseconds that a connection in the distro may take.
TIMEOUT = 2000


def targets(stack: Mapping[str, Any]) -> list[str]:
    """Return what is measured, as latency.ps1 takes it."""
    return [f"{item['service']}.{item['name']}|{item['port']}|{item['protocol']}" for item in published_ports(stack)]


def orders(stack: Mapping[str, Any], samples: int, back: Sequence[int], backend: str, script: bytes) -> str:
    """Return the argument of distro_latency.py: what is measured in the distro, at the containers, and back.

    Args:
        stack: the resolved stack.
        samples: measurements of each target.
        back: ports of programs on Windows.
        backend: desktop or engine.
        script: distro_latency.py, which runs in a container as well.
    """
    given = {
        "targets": targets(stack),
        "containers": [
            {
                "name": f"{name}.{port['name']}",
                "container": answering_container(service),
                "network": stack["network"],
                "port": port["container"],
                "protocol": port["protocol"],
            }
            for name, service in stack["services"].items()
            for port in service["ports"]
        ],
        "back": list(back),
        "backend": backend,
        "source": base64.b64encode(script).decode(),
        "samples": samples,
        "timeout": TIMEOUT,
    }
    return base64.b64encode(json.dumps(given).encode()).decode()


def found(outside: Mapping[str, Any], inside: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overhead, which is the evidence: latency.ps1 on Windows over distro_latency.py in the distro."""
    answer = json.loads(wsl_output.text(inside["stdout"]))
    over = path_overhead.evaluate(outside["targets"], answer["targets"], answer["containers"])
    return {**over, "back": return_path.evaluate(answer["back"])}


def fault(overhead: Mapping[str, Any], host: str) -> str:
    """Return what is wrong with the path from Windows and the path back, "" when nothing is."""
    return " ".join(filter(None, (path_overhead.fault(overhead, host), return_path.fault(overhead["back"], host))))
