"""Releases in docs/windows.md are placeholders, and one that is left in an inventory is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ready.cli import bounds, init
from ready.stack import argument_specs

ROOT = Path(__file__).resolve().parents[3]
NAMES = ["wsl2_msi_version", "docker_desktop_version", "docker_desktop_build"]


def options() -> dict[str, Mapping[str, Any]]:
    """Return what role stack checks of every role's variables."""
    points = [point for role in argument_specs.role_specs().values() for point in role.values()]
    return dict(bounds.options_with_bounds(points))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["…", "<version>", "latest", "4.56.0 "])
def test_what_is_no_release_is_refused(name: str, value: str) -> None:
    """With the variable, and what it should be."""
    (fault,) = bounds.variable_faults(options(), {name: value})
    assert fault.startswith(f"{name}: found {value!r}, expected ")
    assert fault.endswith("or nothing")


def test_releases_pass() -> None:
    """As their pages name them; empty ones too."""
    given = {"wsl2_msi_version": "2.6.1", "docker_desktop_version": "4.56.0", "docker_desktop_build": "214940"}
    assert bounds.variable_faults(options(), given) == []
    assert bounds.variable_faults(options(), given | {"wsl2_msi_version": "2.6.1.0"}) == []
    assert bounds.variable_faults(options(), dict.fromkeys(NAMES, "")) == []


def test_docs_name_no_release() -> None:
    """Docker keeps installers for six months: what is written down there today is gone when it is read."""
    text = (ROOT / "docs" / "windows.md").read_text()
    (block,) = (part for part in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "wsl2_msi_version" in part)
    values = yaml.safe_load(block)
    assert set(NAMES) <= set(values)
    assert {values[name] for name in (*NAMES, "wsl2_msi_sha256", "docker_desktop_sha256")} == {"…"}


def test_steps_for_a_fleet_can_be_followed_in_their_order() -> None:
    """Inventory, password, certificates, ping: each where init puts it, with every variable of the example."""
    text = (ROOT / "docs" / "windows.md").read_text()
    (directory,) = re.findall(r"\./ready init (\S+) --example windows", text)
    assert set(re.findall(r" -i (\S+)", text)) == {f"{directory}/inventory"}
    steps = [
        f"./ready init {directory} --example windows",
        f"ansible-vault create {directory}/inventory/group_vars/all/",
        f">> {directory}/inventory/windows-ca.pem",
        f"./ready windows ping -i {directory}/inventory",
    ]
    places = [text.index(step) for step in steps]
    assert places == sorted(places)
    example = (ROOT / "inventories" / "windows" / "group_vars" / "windows.yml").read_text()
    assert [name for name in re.findall(r"\bvault_\w+", example) if name not in text] == []


def test_inventory_of_windows_is_followed_by_its_own_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not by `up`, which is for the distros that nobody has made yet."""
    assert init.main([str(tmp_path / "pcs"), "--example", "windows"]) == 0
    said = capsys.readouterr().out
    assert f"windows ping -i {tmp_path / 'pcs' / 'inventory'}" in said
    assert " up " not in said


def test_last_line_of_bootstrap_can_be_typed() -> None:
    """`wsl -d` begins in Windows' folder, and the clone is in the user's own; -WhatIf starts nothing."""
    text = (ROOT / "bootstrap.ps1").read_text()
    assert text.rstrip().splitlines()[-1].endswith("then: cd ~/ready, ./ready up' -f $Distribution)")
    start = text.partition("it stays'\n")[2].partition("}")[0]
    assert re.match(r"\s+if \(\$PSCmdlet\.ShouldProcess\([^\n]+\{\n\s+# [^\n]+\n\s+Start-ScheduledTask", start)
