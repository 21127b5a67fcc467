"""Files on shares: what is one, and what is said when the second hop fails."""

from __future__ import annotations

from typing import Any

import pytest
from ready.windows.shares import fault, is_share

from tests.simulator.files import FileStore, Shared, win_copy
from tests.simulator.manifest import Manifest


@pytest.mark.parametrize("path", [r"\\files\pub\wsl.msi", "//files/pub/wsl.msi", r"\\10.0.0.9\d$\a b.exe", r"\\f\p\x"])
def test_shares(path: str) -> None:
    """By name or address, with either slash."""
    assert is_share(path)


@pytest.mark.parametrize(
    "path", ["", r"C:\a.msi", r"\\?\C:\a.msi", r"\\.\pipe\x", "https://files/pub/a.msi", r"\a.msi", r"\\files"]
)
def test_what_is_no_share(path: str) -> None:
    """The PC itself, and the web."""
    assert not is_share(path)


def test_second_hop_is_named() -> None:
    """With who asked, and the variables that change it."""
    failed = {"msg": r"Cannot copy src file: '\\f\p\x' as it does not exist"}
    said = fault(failed, "WSL 2.6.1", r"\\f\p\x", "pc1", role="wsl2", user="ready", given=True)
    for words in (
        r"pc1: WSL 2.6.1: found that \\f\p\x could not be read as ready (Cannot copy src file: '\\f\p\x' as it",
        "expected a file of its server: a share is a second hop, and a session over NTLM passes",
        "Next: set wsl2_share_user and wsl2_share_password to an account that may read the share",
    ):
        assert words in said
    assert "without a password (no answer)" in fault({}, "x", r"\\f\p\x", "pc1", role="wsl2", user="", given=False)


READER = {"BecomeUser": "FILES\\reader", "LogonType": "NewCredentials", "LogonFlags": "NetCredentialsOnly"}
SOURCE, DEST = r"\\files\pub\wsl.msi", r"C:\Windows\Temp\ready-wsl.msi"


@pytest.mark.parametrize(
    ("become", "works"),
    [
        ([], False),
        ([{"params": READER, "secure_params": {"BecomePassword": "Pw-1"}}], True),
        ([{"params": READER, "secure_params": {"BecomePassword": "Pw-2"}}], False),
        ([{"params": READER | {"LogonType": "Batch"}, "secure_params": {"BecomePassword": "Pw-1"}}], False),
    ],
)
def test_simulated_share_takes_a_logon_for_the_network_alone(become: list[dict[str, Any]], works: bool) -> None:
    """As Ansible sends it; without one, or with another kind of logon, the file is not there."""
    files = FileStore()
    files.shares[SOURCE] = Shared("FILES\\reader", "Pw-1", b"msi")
    arguments = [{"Name": "complex_args", "Value": {"src": SOURCE, "dest": DEST, "remote_src": True}}]
    module = {
        "name": "module_wrapper.ps1",
        "params": {"Script": "ansible.windows.win_copy.ps1", "Variables": arguments},
    }
    call = Manifest([*({"name": "become_wrapper.ps1", **each} for each in become), module]).call()
    result = win_copy(files, call)
    assert (DEST in files, "failed" not in result) == (works, works)
    if not works:
        said = fault(result, "WSL", SOURCE, "pc1", role="wsl2", user="x", given=bool(become))
        assert "does not exist); expected a file of its server: a share is a second hop" in said
