"""Proxy, its exceptions and certificates of Windows, carried into the distro and to Docker there."""

from __future__ import annotations

from typing import Any

import pytest
from ready.windows import wsl
from ready.windows.distro import bypassed

from tests.simulator.conditions import host_in

from .test_windows_plans import WSL, state_of


def test_proxy_and_certificates_of_windows_go_into_the_distro() -> None:
    """And out again when Windows has them no more."""
    host = host_in("ready")
    host.proxy = "http=proxy.corp:3128;https=proxy.corp:3129"
    host.certificates = [
        {"thumbprint": "AB12", "subject": "CN=Corp", "not_after": "2030-01-01T00:00:00.000Z", "der": "MAA="}
    ]
    state = state_of(host, CaThumbprints=["AB12"])
    plan = wsl.plan(state, **(WSL | {"proxy": "windows"}))
    inside: Any = host.registered[0].inside
    inside.shell("", plan["orders"].encode())
    assert "export https_proxy='http://proxy.corp:3129'" in inside.files["/etc/profile.d/ready-proxy.sh"][1].decode()
    mode, for_docker = inside.files["/etc/ready/windows-proxy.env"]
    assert (mode, for_docker.splitlines()[0]) == ("0600", b"HTTP_PROXY='http://proxy.corp:3129'")
    assert b"BEGIN CERTIFICATE" in inside.files["/usr/local/share/ca-certificates/ready-ab12.crt"][1]
    assert plan["orders"].endswith("certificates\n")
    assert not plan["restart"]
    assert wsl.plan(state_of(host, CaThumbprints=["AB12"]), **(WSL | {"proxy": "windows"}))["orders"] == ""
    host.proxy, host.certificates = "", []
    gone = wsl.plan(state_of(host), **(WSL | {"proxy": "windows"}))["orders"].splitlines()
    assert sorted(line.split()[0] for line in gone) == ["certificates", "remove", "remove", "remove", "remove"]


@pytest.mark.parametrize(
    ("windows", "linux"),
    [
        ("*.Corp.example", ".corp.example"),
        ("files.corp", "files.corp"),
        ("http://files.corp:8080", "files.corp:8080"),
        ("10.*", "10.0.0.0/8"),
        ("192.168.7.*", "192.168.7.0/24"),
        ("172.16.*.*", "172.16.0.0/16"),
        ("192.168.7.9", "192.168.7.9"),
        ("*", "*"),
        ("<local>", ""),
        ("*corp*", ""),
        ("10.*.3.4", ""),
        ("it's", ""),
    ],
)
def test_exceptions_are_said_as_linux_says_them(windows: str, linux: str) -> None:
    """What no_proxy has no form for is nothing."""
    assert bypassed(windows) == linux


def test_exceptions_of_windows_go_with_its_proxy_alone() -> None:
    """Beside those of the inventory, for shells and Docker; what is left out is named."""
    host = host_in("ready")
    host.proxy, host.proxy_bypass = "proxy.corp:3128", "*.corp.example; 10.*;<local>;localhost"
    given = WSL | {"proxy": "windows", "no_proxy": "localhost,::1"}
    plan = wsl.plan(state_of(host), **given)
    inside: Any = host.registered[0].inside
    inside.shell("", plan["orders"].encode())
    expected = "localhost,::1,.corp.example,10.0.0.0/8"
    assert f"export NO_PROXY='{expected}'" in inside.files["/etc/profile.d/ready-proxy.sh"][1].decode()
    assert f"NO_PROXY='{expected}'" in inside.files["/etc/ready/windows-proxy.env"][1].decode()
    (row,) = [row for row in plan["checks"] if row["id"] == "proxy_bypass"]
    assert (row["verdict"], row["found"]) == ("pass", "<local> can't be said in no_proxy, and is left out")
    assert wsl.plan(state_of(host), **given)["orders"] == ""
    own = wsl.plan(state_of(host), **(given | {"proxy": "http://other:3128"}))
    inside.shell("", own["orders"].encode())
    assert b"NO_PROXY='localhost,::1'\n" in inside.files["/etc/ready/windows-proxy.env"][1]
    assert "proxy_bypass" not in {row["id"] for row in own["checks"]}
