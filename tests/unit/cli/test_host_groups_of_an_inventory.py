"""Which hosts of an inventory verbs act on: those of the group `ready`, and no other."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ready.cli.host_groups import HostGroupError, all_ready_hosts, stack_hosts, windows_hosts
from ready.stack.argument_specs import verb_specs

from tests.unit.tools.warmed import program

ROOT = Path(__file__).resolve().parents[3]
#: As companies have it: Windows servers that are nobody's business here.
COMPANY = {"all": ["dc1", "pc1", "db1", "web1"], "windows": ["dc1", "pc1"]}
OURS = COMPANY | {"ready": ["pc1", "db1"]}


def test_patterns() -> None:
    """Windows hosts are those of both groups; without Windows hosts the pattern names no group that is missing."""
    assert (stack_hosts(OURS), windows_hosts(OURS), all_ready_hosts(OURS)) == (
        "ready:!windows",
        "windows:&ready",
        "ready",
    )
    linux = {"all": ["db1"], "ready": ["db1"]}
    assert (stack_hosts(linux), windows_hosts(linux), all_ready_hosts(linux)) == ("ready", [], "ready")


@pytest.mark.parametrize("decide", [stack_hosts, windows_hosts, all_ready_hosts])
def test_an_inventory_without_the_group(decide: object) -> None:
    """It is refused, with the three lines to add, for a host that it has."""
    assert callable(decide)
    with pytest.raises(HostGroupError) as error:
        decide(COMPANY)
    assert yaml.safe_load(str(error.value)[str(error.value).index("ready:\n") :]) == {"ready": {"hosts": {"dc1": None}}}


@pytest.mark.parametrize("name", ["ready", "windows", "wsl"])
def test_a_host_with_the_name_of_a_group(name: str) -> None:
    """Ansible's pattern would mean the host alone, and leave the others out without a word."""
    groups = {"all": ["a", "b", name], "ready": ["a", name], "windows": ["a"], "wsl": ["b"]}
    for decide in (stack_hosts, windows_hosts, all_ready_hosts):
        with pytest.raises(HostGroupError, match=f"found the host '{name}' and a group of that name.* Next: give the"):
            decide(groups)
    linux = {"all": ["wsl", "web"], "ready": ["wsl"], "web": ["web"]}
    assert stack_hosts(linux) == "ready", "a name that no pattern of Ready's has"


def test_hosts_that_are_named() -> None:
    """By ready_hosts: then no group is needed, and no Windows host is touched."""
    assert windows_hosts(COMPANY, overridden=True) == []
    assert windows_hosts(OURS, overridden=True) == "windows:&ready"


@pytest.mark.parametrize("playbook", [ROOT / "site.yml", *sorted((ROOT / "playbooks").glob("*[a-z].yml"))], ids=str)
def test_every_play_of_a_verb_asks_for_the_group(playbook: Path) -> None:
    """None of them chooses hosts itself."""
    plays = [play for play in yaml.safe_load(playbook.read_text()) if "hosts" in play]
    if playbook.name.endswith(".meta.yml"):
        return
    assert plays
    assert [play["hosts"] for play in plays if not re.search(r"groups \| ready_\w+_hosts", play["hosts"])] == []


def test_refusal_and_choice_as_ansible_makes_them(tmp_path: Path) -> None:
    """Nothing runs on an inventory without the group; of one that has it the right hosts are taken."""
    hosts = {"dc1": None, "pc1": None, "db1": None, "web1": None}
    children = {"windows": {"hosts": {"dc1": None, "pc1": None}}}
    inventory = tmp_path / "hosts.yml"

    def listed(playbook: str, *words: str) -> tuple[int, list[str], str]:
        command = [program(), "-i", str(inventory), playbook, "--list-hosts", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, sorted(re.findall(r"^      (\w+)$", done.stdout, re.MULTILINE)), done.stderr

    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "children": children}}))
    code, _, said = listed("playbooks/up.yml")
    assert code != 0
    assert re.search(r"\nready:\n  hosts:\n    \w+1:\n", said)
    assert listed("playbooks/status.yml", "-e", "ready_hosts=web1")[:2] == (0, ["web1"])
    children["ready"] = {"hosts": {"pc1": None, "db1": None}}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "children": children}}))
    assert listed("playbooks/up.yml")[:2] == (0, ["db1"])
    assert listed("playbooks/windows.yml")[:2] == (0, ["pc1"])
    assert listed("playbooks/fleet.yml")[:2] == (0, ["db1", "db1", "pc1"])  # two plays: what timers did, and all


def test_verbs_are_there() -> None:
    """What the test over playbooks looks at is not an empty list."""
    assert {f"{verb}.yml" for verb in verb_specs()} <= {path.name for path in (ROOT / "playbooks").glob("*[a-z].yml")}
