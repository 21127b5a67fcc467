"""The first contact: what enable_remoting.ps1 leaves on a PC as it comes, and what its text may and may not hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.simulator.conditions import host_in
from tests.simulator.firewall import PUBLIC_REFUSED, UNSPECIFIED, WIFI, admits, set_wsman
from tests.simulator.handlers.remoting import enable_remoting
from tests.simulator.model import CONTROLLER, Windows
from tests.simulator.task import Task

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "scripts" / "windows" / "enable_remoting.ps1").read_text()
CODE = TEXT.partition("#>")[2]
ASKED = {"Controller": [CONTROLLER], "Password": "Pw-of-ready-1"}


def lets_in(host: Windows, address: str) -> bool:
    """Return whether the firewall lets an address in to WinRM."""
    assert host.remoting
    rules = [host.remoting.rule] if host.remoting.rule else []
    return admits(host.networks, host.firewall, rules, address, 5986)


def test_a_pc_as_it_comes_answers_the_controller_alone() -> None:
    """On a Public network too, where a rule for Domain and Private, as the docs once had it, lets nobody in."""
    host = host_in("as-it-comes")
    assert not host.reachable()
    assert enable_remoting(host, ASKED)["changed"]
    assert host.reachable()
    assert host.networks[0].category == "Public"
    assert (lets_in(host, CONTROLLER), lets_in(host, "192.168.1.11")) == (True, False)
    assert host.remoting
    assert host.remoting.rule
    host.remoting.rule["profiles"] = ["Domain", "Private"]
    assert not host.reachable()


def test_a_second_run_changes_nothing() -> None:
    """And keeps the password of the account that is there."""
    host = host_in("as-it-comes")
    enable_remoting(host, ASKED)
    assert not enable_remoting(host, ASKED | {"Password": "another"})["changed"]
    assert host.accounts["ready"] == ASKED["Password"]


def test_undo_takes_back_what_it_made_and_nothing_else() -> None:
    """All of it on a PC as it came; on one where account and right were there, those stay."""
    host = host_in("as-it-comes")
    before = host.snapshot()
    enable_remoting(host, ASKED | {"MakePrivate": True})
    assert host.networks[0].category == "Private"
    enable_remoting(host, {"Undo": True})
    assert host.snapshot() == before
    host.accounts = {**host.accounts, "ready": "theirs"}
    host.administrators.add("ready")
    enable_remoting(host, ASKED)
    enable_remoting(host, {"Undo": True})
    assert host.accounts["ready"] == "theirs"
    assert "ready" in host.administrators
    assert not host.reachable()


def test_undo_waits_for_the_tasks_that_need_the_account() -> None:
    """Without remoting nobody could take them away from the controller."""
    host = host_in("as-it-comes")
    enable_remoting(host, ASKED)
    host.tasks["keep Ubuntu-22.04"] = Task("keep Ubuntu-22.04", "", "", "", "PT0S", "", ())
    with pytest.raises(RuntimeError, match=r"found \\Ready\\keep Ubuntu-22.04"):
        enable_remoting(host, {"Undo": True})
    assert host.reachable()


@pytest.mark.parametrize("medium", [WIFI, UNSPECIFIED])
def test_a_network_that_is_not_known_to_be_wired_stays_public(medium: int) -> None:
    """Whatever is asked for; the controller comes in all the same."""
    host = host_in("as-it-comes")
    host.networks[0].medium = medium
    enable_remoting(host, ASKED | {"MakePrivate": True})
    assert host.networks[0].category == "Public"
    assert host.reachable()


def test_windows_refuses_settings_of_winrm_while_a_network_is_public() -> None:
    """Also on a Private network, for vEthernet (WSL) has no profile: so neither script nor docs set any."""
    host = host_in("fresh")
    assert host.networks[0].category == "Private"
    with pytest.raises(RuntimeError, match="set to Public"):
        set_wsman(host.networks)
    assert "Public" in PUBLIC_REFUSED
    docs = (ROOT / "docs" / "windows.md").read_text()
    commands = "".join(re.findall(r"```\w*\n(.*?)```", docs, re.DOTALL))
    refused = re.compile(r"Set-Item\s+(?:-Path\s+)?WSMan:|Set-WSManQuickConfig|winrm\s+(?:set|quickconfig)")
    for text in (CODE, commands):
        assert refused.findall(text) == []
    assert "Enable-PSRemoting -SkipNetworkProfileCheck" in CODE


def test_every_note_is_taken_back() -> None:
    """What is noted before a change is read by Undo-All; four notes only help others."""
    noted = set(re.findall(r"Add-Note '(\w+)'", CODE)) | set(re.findall(r'Add-Note "(\w+ )', CODE))
    undo = CODE.partition("function Undo-All")[2].partition("\n}\n")[0]
    helpers = {"CertificateNames", "RuleHeld", "HttpBefore"}
    assert {"AccountSid", "Member", "Batch", "TokenFilter", "Service", "Endpoint", "Certificate", "Rule"} <= noted
    assert {item for item in noted - helpers if f"'{item}'" not in undo} == set()


def test_a_password_is_never_a_parameter() -> None:
    """It is asked for or made, is kept as a SecureString, goes to no program and to no stream of PowerShell's."""
    parameters = CODE.partition("param(")[2].partition("\n)\n")[0]
    assert not re.search(r"\$\w*(Password|Secret|Credential)\b(?<!GeneratePassword)", parameters, re.I)
    assert "[switch]$GeneratePassword" in parameters
    for line in CODE.splitlines():
        if re.search(r"secedit|Write-(Line|Output|Host|Verbose)|Add-Note|New-ItemProperty", line):
            assert not re.search(r"\$(text|texts|made_password|script:secret|secret|first|second)\b", line), line


def test_the_rule_is_for_the_controller_and_the_profile_in_force() -> None:
    """Nowhere is everybody let in."""
    made = [line for line in CODE.splitlines() if "New-NetFirewallRule" in line]
    assert len(made) == 1
    assert "-RemoteAddress $addresses -Profile $Profiles" in made[0]
    assert not re.search(r"-RemoteAddress\s+(Any|\*)|-Profile\s+Any", CODE, re.I)


def test_only_a_wired_network_is_made_private() -> None:
    """The one place that does it is behind the question for 802.3."""
    before, found, _ = CODE.partition("-NetworkCategory Private")
    assert found
    assert CODE.count("-NetworkCategory Private") == 1
    assert before.rindex("NdisPhysicalMedium -eq 14") > before.rindex("function Get-Profiles")
