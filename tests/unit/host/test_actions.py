"""The action of role docker_engine: what it refuses, and what the tasks get."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from tests.unit.actions import Asked, run
from tests.unit.host.test_engine_setup import facts

GIVEN: dict[str, Any] = {
    "packages": ["docker.io"],
    "log_max_size": "10m",
    "log_max_file": 3,
    "daemon_options": {"mtu": 1400},
}


def plan(monkeypatch: pytest.MonkeyPatch, docker: dict[str, Any], **other: Any) -> dict[str, Any]:
    """Plan for a host whose Docker is like that."""
    return run("docker_engine_plan", Asked(), monkeypatch, facts=facts(**docker), **GIVEN, **other)


def test_tasks_get_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the role's defaults have it, and no password in it."""
    found = plan(monkeypatch, {}, proxy="http://ready:s3cret@proxy:3128", no_proxy="localhost", backend="engine")
    assert (found["action"], found["start"], found["changed"]) == ("install", "start", False)
    assert found["packages"][0] == "docker.io"
    assert '"mtu": 1400' in found["daemon_json"]["content"]
    assert (found["proxy"]["source"], found["proxy"]["write"]) == ("given", True)
    assert "s3cret" not in str(found)


@pytest.mark.parametrize(
    ("docker", "proxy", "message"),
    [
        ({"denied": True, "installed": True}, "", r"^pc1: Docker: .*group docker.*\.$"),
        ({"reachable": True, "managed": True, "daemon_json": "{broken"}, "",
         r"^pc1: /etc/docker/daemon\.json: found no valid JSON.*Next: correct it, then run again$"),
        ({}, "ftp://ready:s3cret@proxy",
         r"^pc1: docker_engine_proxy: found that the proxy is no URL.*Next: correct it, then run again$"),
    ],
)  # fmt: skip
def test_what_needs_a_human_fails(
    docker: dict[str, Any], proxy: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the host, what was found and, last, the next step: Ansible adds what a message is raised from. No URL."""
    with pytest.raises(AnsibleActionFail, match=message) as caught:
        plan(monkeypatch, docker, proxy=proxy)
    assert "s3cret" not in str(caught.value)
