"""The least memory limit of each service: the smallest with which it becomes healthy on empty data.

`PYTHONPATH=module_utils .venv/bin/python bench/memory.py [SERVICE …]`; services/<name>.yml has the figures as `least`.
Images must be there.
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone

from ready.docker import state as docker_state
from ready.docker import trial
from ready.docker.spec import ContainerSpec
from ready.secrets import certificates
from ready.secrets.vault import new_password
from ready.stack.definitions import load_definitions, resolve_stack
from ready.stack.render import render_files

STACK = "bench-memory"
#: MiB that are tried, from small to large.
SIZES = (6, 8, 12, 16, 24, 32, 40, 48, 64, 96, 128, 192, 256, 320, 384, 448, 512, 640, 768, 1024)
#: Seconds that a start may take; one that is short of memory takes long.
SECONDS = 60


def starts(name: str, size: int) -> bool:
    """Return whether a service becomes healthy on empty data with a limit of so many MiB."""
    client = docker_state.connect()
    definitions = load_definitions()
    services = [name, *definitions[name].get("needs", [])]
    variables = {"stack_name": STACK, "ready_services": services, "ready_bind_address": "127.0.0.1"}
    service = resolve_stack(definitions, variables | {f"{name}_memory": f"{size}m"})["services"][name]
    image = str(client.images.list(f"ready/{name}")[0].id)
    passwords = {account: new_password() for account in service["accounts"]}
    served = None
    if service.get("tls", {}).get("enabled"):
        now = datetime.now(timezone.utc)
        authority = certificates.make_authority(STACK, now)
        pair = certificates.make_leaf(authority, name, [name], now)
        served = certificates.Served(pair.certificate, pair.key, authority.certificate)
    files = {file.path: (file.mode, file.content) for file in render_files(service, passwords, {}, served)}
    spec = ContainerSpec.from_service(service, STACK, STACK, image)
    outcome = trial.try_out(client, {name: service}, {name: spec}, {name: image}, {name: files}, SECONDS)[name]
    print(f"{name}: {size} MiB: {outcome['state']} {outcome['detail'][-80:]}", file=sys.stderr, flush=True)
    return bool(outcome["healthy"])


def main() -> None:
    """Print a line per service."""
    for name in sys.argv[1:] or load_definitions():
        size = next((size for size in SIZES if starts(name, size)), None)
        print(f"{name}: {size} MiB", flush=True)


if __name__ == "__main__":
    main()
