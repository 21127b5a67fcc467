"""Proxy, its exceptions and certificates of Windows, carried into the distro and to Docker there."""

from __future__ import annotations

from typing import Any

import pytest
from ready.windows import proxies, wsl
from ready.windows.distro import no_proxy_form

from tests.simulator.conditions import host_in
from tests.simulator.model import Windows
from tests.unit.windows.test_plans import WSL, state_of


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
    assert no_proxy_form(windows) == linux


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
    assert (row["verdict"], row["found"]) == ("pass", "<local> has no form in no_proxy, and is left out")
    assert wsl.plan(state_of(host), **given)["orders"] == ""
    own = wsl.plan(state_of(host), **(given | {"proxy": "http://other:3128"}))
    inside.shell("", own["orders"].encode())
    assert b"NO_PROXY='localhost,::1'\n" in inside.files["/etc/ready/windows-proxy.env"][1]
    assert "proxy_bypass" not in {row["id"] for row in own["checks"]}


def source_of(host: Windows, **given: Any) -> dict[str, Any]:
    """Return the check that says what Windows knows of proxies, empty without one."""
    plan = wsl.plan(state_of(host), **(WSL | {"proxy": "windows"} | given))
    return next((row for row in plan["checks"] if row["id"] == "proxy_source"), {})


def test_policy_for_the_machine_wins_over_the_account() -> None:
    """ProxySettingsPerUser = 0: https://www.spad.uk/posts/how-does-proxysettingsperuser-work/."""
    host = host_in("ready")
    host.proxy = "old.corp:1"
    host.proxy_machine = {"enabled": True, "server": "proxy.corp:3128", "bypass": "10.*;<local>", "script": ""}
    plan = wsl.plan(state_of(host), **(WSL | {"proxy": "windows", "no_proxy": "localhost"}))
    inside: Any = host.registered[0].inside
    inside.shell("", plan["orders"].encode())
    text = inside.files["/etc/ready/windows-proxy.env"][1]
    assert b"HTTP_PROXY='http://proxy.corp:3128'" in text
    assert b"NO_PROXY='localhost,10.0.0.0/8'" in text
    row = source_of(host)
    assert (row["verdict"], row["found"]) == (
        "pass",
        "http://proxy.corp:3128 (by a policy for the machine), which is taken",
    )
    host.proxy_machine["enabled"] = False
    assert source_of(host) == {}


def test_script_is_reported_with_the_variable() -> None:
    """A PAC file is not run, of the account or of the machine; a password in an address is not shown."""
    host = host_in("ready")
    host.proxy_script = "http://u:s3cret@wpad.corp/proxy.pac"
    row = source_of(host)
    assert row["verdict"] == "insufficient_data"
    assert row["found"] == "the script http://***@wpad.corp/proxy.pac (of PC1\\ready), which Ready does not run"
    assert "set wsl2_proxy to the URL" in row["next"]
    assert source_of(host, proxy="http://proxy.corp:3128") == {}
    assert source_of(host, proxy="") == {}
    host.proxy_machine = {"enabled": False, "server": "", "bypass": "", "script": "http://wpad/wpad.dat"}
    assert "http://wpad/wpad.dat (a policy's, for the machine)" in source_of(host)["found"]


def test_proxies_of_services_and_of_others_are_reported() -> None:
    """The account that Ansible connects as has settings of its own; services have WinHTTP's."""
    host = host_in("ready")
    assert source_of(host) == {}
    address = b"http=proxy.corp:3128;https=proxy.corp:3129"
    tail = address + b"\x07\0\0\0<local>"
    host.proxy_winhttp = bytes.fromhex("180000000000000003000000") + bytes([len(address), 0, 0, 0]) + tail
    host.proxy_others = [{"owner": "CORP\\anna", "server": "proxy.corp:3128", "script": ""}]
    found = source_of(host)["found"]
    assert "http://proxy.corp:3129 for WinHTTP alone (netsh winhttp show proxy)" in found
    assert "http://proxy.corp:3128 in the settings of CORP\\anna; those of PC1\\ready are its own" in found
    host.proxy = "proxy.corp:3128"
    assert source_of(host)["found"] == "http://proxy.corp:3128, which is taken"


@pytest.mark.parametrize("settings", [None, "", "GAAA", "GAAAAAAAAAABAAAAAAAAAAAAAAA="])
def test_no_proxy_of_services(settings: str | None) -> None:
    """None was set, it was reset, or the value is cut short."""
    assert proxies.winhttp(settings) == ""
