"""What every container of a stack must be, asked of the kernel where it can be."""

from __future__ import annotations

import json

from ready.docker import execute
from ready.docker.spec import ContainerSpec
from ready.stack.resolved import containers

from tests.stack import Stack


def status(stack: Stack, service: str) -> dict[str, str]:
    """Return /proc/1/status of a container by key."""
    done = execute.run(stack.container(service), ["cat", "/proc/1/status"])
    assert done.exit_code == 0, done.output
    return {line.partition(":")[0]: line.partition(":")[2].strip() for line in done.output.decode().splitlines()}


def assert_hardened(stack: Stack, service: str) -> None:
    """Assert uid, capabilities, no-new-privileges, read-only root, limits, loopback ports, and no secret on show."""
    want = containers(stack.resolved)[service]
    container = stack.container(service)
    process = status(stack, service)
    assert process["Uid"].split()[0] == want["image"]["user"].partition(":")[0] != "0"
    assert int(process["CapEff"], 16) == int(process["CapBnd"], 16) == 0
    assert process["NoNewPrivs"] == "1"
    written = execute.run(container, ["sh", "-c", "echo x > /ready-test"], user="0")
    assert written.exit_code != 0, "the root file system is writable"
    host = container.attrs["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == want["limits"]["memory"]
    assert host["PidsLimit"] == want["limits"]["pids"]
    bindings = [item for port in (host["PortBindings"] or {}).values() for item in port]
    published = ContainerSpec.from_service(want, stack.name, stack.name).ports or {}
    assert len(bindings) == len(published)
    assert {item["HostIp"] for item in bindings} == ({"127.0.0.1"} if published else set())
    shown = json.dumps(container.attrs)
    script = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null"
    environment = execute.run(container, ["sh", "-c", script], user=want["image"]["user"]).output
    logs = container.logs()
    for account, password in stack.passwords(want.get("of", service)).items():
        assert password not in shown, f"{account}'s password is in docker inspect"
        assert password.encode() not in environment, f"{account}'s password is in an environment or argv"
        assert password.encode() not in logs, f"{account}'s password is in the logs"
    script = "stat -c '%a %u:%g' /run/ready/* /run/ready/secrets/* 2>/dev/null"
    for line in execute.run(container, ["sh", "-c", script]).output.decode().splitlines():
        mode, owner = line.split()
        assert mode in {"400", "500"}, line
        assert owner == want["image"]["user"], line
