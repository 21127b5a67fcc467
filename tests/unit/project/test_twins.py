"""The inventory plugin ready_twins, and the example fleet."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader

ROOT = Path(__file__).resolve().parents[3]
inventory_loader.add_directory(str(ROOT / "inventory_plugins"))


def read(directory: Path) -> InventoryManager:
    """Read an inventory folder."""
    return InventoryManager(loader=DataLoader(), sources=[str(directory)])


def names(inventory: InventoryManager, group: str) -> list[str]:
    """Return the hosts of a group."""
    return sorted(host.name for host in inventory.groups[group].get_hosts())


def test_each_windows_host_of_the_example_has_a_twin() -> None:
    """A line for each PC is all that is written."""
    inventory = read(ROOT / "inventories" / "windows")
    windows = names(inventory, "windows")
    assert len(windows) == 12
    assert names(inventory, "wsl") == [f"{name}-wsl" for name in windows]
    assert names(inventory, "ready") == sorted(windows + names(inventory, "wsl"))
    assert inventory.hosts["lab07-wsl"].vars["ansible_wsl_windows_host"] == "lab07"


def test_example_is_complete_for_ansible() -> None:
    """As `ansible-inventory` gives it: a twin has its connection, its PC, and nothing of how the PC is reached."""
    program, example = Path(sys.executable).parent / "ansible-inventory", ROOT / "inventories" / "windows"
    command = [str(program), "-i", str(example), "--list"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    variables = found["_meta"]["hostvars"]
    assert set(found["wsl"]["hosts"]) == {f"{name}-wsl" for name in found["windows"]["hosts"]}
    twin = variables["pc1-wsl"]
    assert twin["ansible_connection"] == "wsl_psrp"
    assert twin["ansible_wsl_windows_host"] == {"__ansible_unsafe": "pc1"}  # a name is data, never a template
    assert twin["ansible_wsl_distribution"] == "{{ hostvars[ansible_wsl_windows_host].wsl_distribution }}"
    assert variables["pc1"]["wsl_distribution"] == "Ubuntu-22.04"
    assert "ansible_host" not in twin
    assert variables["pc1"]["ansible_connection"] == "psrp"


def test_hosts_of_child_groups_have_twins_too(tmp_path: Path) -> None:
    """And other hosts have none; group, twins and suffix can be named."""
    (tmp_path / "hosts.yml").write_text(
        "all: {hosts: {db1: {}}, children: {pcs: {children: {north: {hosts: {n1: {}}}, south: {hosts: {s1: {}}}}}}}"
    )
    (tmp_path / "twins.yml").write_text("{plugin: ready_twins, group: pcs, twin_group: linux, suffix: .wsl}")
    assert names(read(tmp_path), "linux") == ["n1.wsl", "s1.wsl"]


def test_a_missing_group_is_named(tmp_path: Path) -> None:
    """With the next step."""
    (tmp_path / "hosts.yml").write_text("all: {hosts: {db1: {}}}")
    (tmp_path / "twins.yml").write_text("plugin: ready_twins")
    plugin = inventory_loader.get("ready_twins")
    with pytest.raises(AnsibleError, match=r"no group 'windows'.*Next: name them in hosts\.yml"):
        plugin.parse(read(tmp_path / "hosts.yml")._inventory, DataLoader(), str(tmp_path / "twins.yml"))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("windows: {hosts: {wsl: {}, pc1: {}}}", "found the host 'wsl' and a group of that name; expected different"),
        (
            "windows: {hosts: {pc1-wsl: {}, pc1: {}}}",
            "found the Windows hosts 'pc1' and 'pc1-wsl', which is also the name of the distro of 'pc1'; expected",
        ),
        ("windows: {hosts: {pc1: {}}}, pc1-wsl: {hosts: {db1: {}}}", "found the host 'pc1-wsl' and a group of that"),
    ],
)
def test_names_that_clash(groups: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused: a distro would be missing, or variables and patterns would mean another host."""
    (tmp_path / "hosts.yml").write_text(f"all: {{children: {{{groups}}}}}")
    (tmp_path / "twins.yml").write_text("plugin: ready_twins")
    with pytest.raises(SystemExit) as ended:
        read(tmp_path)
    said = " ".join(capsys.readouterr().err.split())
    assert ended.value.code == 64
    assert f"ready: The inventory: {message}" in said
    assert "Nothing was changed. Next: give" in said


def test_a_twin_may_have_variables_of_its_own(tmp_path: Path) -> None:
    """Its line in the inventory makes no clash."""
    (tmp_path / "hosts.yml").write_text(
        "all: {children: {windows: {hosts: {pc1: {}}}, wsl: {hosts: {pc1-wsl: {stack_name: x}}}}}"
    )
    (tmp_path / "twins.yml").write_text("plugin: ready_twins")
    inventory = read(tmp_path)
    assert names(inventory, "wsl") == ["pc1-wsl"]
    assert {"stack_name": "x", "ansible_wsl_windows_host": "pc1"}.items() <= inventory.hosts["pc1-wsl"].vars.items()


def test_a_twin_joins_ready_with_its_windows_host(tmp_path: Path) -> None:
    """That of a Windows host which is not Ready's business stays outside."""
    groups = "windows: {hosts: {dc1: {}, pc1: {}}}, ready: {hosts: {pc1: {}, db1: {}}}"
    (tmp_path / "hosts.yml").write_text(f"all: {{children: {{{groups}}}}}")
    (tmp_path / "twins.yml").write_text("plugin: ready_twins")
    inventory = read(tmp_path)
    assert names(inventory, "ready") == ["db1", "pc1", "pc1-wsl"]
    assert names(inventory, "wsl") == ["dc1-wsl", "pc1-wsl"]
