"""WSL's MSI on Windows that lacks updates: judged by the revision of each build, and error 1603 names the cause."""

from __future__ import annotations

from typing import Any

import pytest
from ready.windows import msi

from tests.simulator.conditions import host_in
from tests.simulator.handlers.modules import win_package
from tests.simulator.host import ModuleCall
from tests.simulator.inventory import INVENTORY, MSI
from tests.unit.windows.test_plans import checks_of, failures, state_of

LOG = "C:\\Windows\\Temp\\ready-wsl.log"


def row_of(build: int, revision: int, condition: str = "with-features") -> dict[str, Any]:
    """Return what the verdict says about Windows for the MSI."""
    host = host_in(condition)
    host.build, host.revision = build, revision
    (row,) = [check for check in checks_of(host, backend="engine") if check["id"] == "wsl_msi"]
    return row


@pytest.mark.parametrize(
    ("build", "revision", "verdict"),
    [
        (19045, 4473, "fail"),
        (19045, 4474, "pass"),
        (22621, 3671, "fail"),
        (22621, 3672, "pass"),
        (22631, 3671, "fail"),
        (22631, 3672, "pass"),
        (20348, 2581, "fail"),
        (22000, 9999, "insufficient_data"),
        (19041, 9999, "insufficient_data"),
        (26100, 1, "pass"),
        (26200, 1, "pass"),
    ],
)
def test_revision_is_judged_per_build(build: int, revision: int, verdict: str) -> None:
    """Those that the cure was made for are refused below it; others get a note; the simulator's MSI does the same."""
    row = row_of(build, revision)
    assert row["verdict"] == verdict, row
    assert bool(row["next"]) == (verdict != "pass")
    host = host_in("with-features")
    host.build, host.revision = build, revision
    assert win_package(host, install())["failed" if verdict != "pass" else "changed"]


def install() -> ModuleCall:
    """Return how role wsl2 asks for the MSI."""
    given = {"path": MSI, "checksum": INVENTORY["wsl2_msi_sha256"], "expected_return_code": [0, 3010]}
    return ModuleCall("win_package", given, False, False, None, {})


def test_package_that_is_there_needs_no_updates() -> None:
    """The MSI is not run."""
    assert row_of(22631, 3155, "with-wsl")["verdict"] == "pass"
    assert row_of(22631, 3155, "ready")["found"] == "22631.3155, and the package is there already"


def test_message_before_anything_is_changed() -> None:
    """Which revision, and what to do instead."""
    message = failures(host_in("windows-without-updates"))
    assert "Windows for WSL's MSI: found 22631.3155; expected 22631.3672 or newer" in message
    assert "install the pending updates of Windows (22631.3672 or newer), or log on at the PC as PC1\\ready" in message


@pytest.mark.parametrize(
    ("build", "words", "others"),
    [
        (
            22000,
            "its MSIX package could not be registered over the network, and Windows 22000.1 cannot",
            "the log says",
        ),
        (26100, "correct what the log says", "MSIX package could not"),
    ],
)
def test_error_1603_names_this_cause_where_it_can_be(build: int, words: str, others: str) -> None:
    """And not where Windows passes over it: then the log says why."""
    host = host_in("with-features")
    host.build, host.revision = 22000, 1
    result = win_package(host, install())
    host.build = build
    message = fault(result, host.logs[LOG], host)
    assert words in message
    assert others not in message
    assert "Entrypoint: InstallMsixAsUser" in message
    assert "exit code 1603" in message


def fault(result: dict[str, Any], log: list[str], host: Any) -> str:
    """Return the message of a failed MSI."""
    return msi.fault(result, log, state_of(host), version="2.6.1", source=MSI, host="pc1")


def test_other_failures_keep_their_words() -> None:
    """Another installation, and a download that is not what it should be."""
    host = host_in("with-features")
    host.revision = 3155
    assert "another installation runs" in fault({"rc": 1618, "msg": "unexpected rc"}, [], host)
    assert "its checksum" in fault({"rc": 0, "msg": "The checksum did not match"}, [], host)
    assert "found no answer; expected it installed" in fault({}, [], host)
