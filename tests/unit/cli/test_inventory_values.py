"""Values of an inventory that can't be had: said before the first task, by every verb, and nothing of a value."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ready.cli import commands, failed_hosts, inventory_values
from ready.stack.argument_specs import verb_specs

from tests.unit.tools.warmed import program

ROOT = Path(__file__).resolve().parents[3]
VAULT = str(Path(sys.executable).parent / "ansible-vault")
SECRET = "hunter2-of-the-test"
HOSTS = "ready: {hosts: {a: {ansible_connection: local}, b: {ansible_connection: local}}}\n"
WINDOWS = "windows: {hosts: {pc1: {}, pc2: {}}}\nready: {children: {windows: {}}}\n"
NEXT = " Nothing was changed. Next: "


def run(source: Path, playbook: str, *words: str) -> tuple[int, list[str], str]:
    """Run a playbook; return its code, the lines for people, and everything."""
    command = [program(), "-i", str(source), str(ROOT / playbook), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert SECRET not in done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("ready: ")]
    return done.returncode, lines, done.stdout + done.stderr


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, list[str]]:
    """What ansible-playbook is given: the right vault password, another one, or none."""
    for name in ("right", "other"):
        (tmp_path / name).write_text(f"password {name}\n")
    found = {name: ["--vault-password-file", str(tmp_path / name)] for name in ("right", "other")}
    return found | {"none": []}


@pytest.fixture
def windows(tmp_path: Path) -> Path:
    """The inventory of Windows PCs as the example has it, without the file of the password."""
    place = tmp_path / "inventory"
    (place / "group_vars").mkdir(parents=True)
    (place / "hosts.yml").write_text(WINDOWS)
    (place / "twins.yml").write_text("plugin: ready_twins\n")
    for name in ("windows", "wsl"):
        text = (ROOT / "inventories" / "windows" / "group_vars" / f"{name}.yml").read_text()
        (place / "group_vars" / f"{name}.yml").write_text(text)
    return place


def encrypt(path: Path, key: list[str]) -> None:
    """Encrypt a file as a user does."""
    subprocess.run([VAULT, "encrypt", *key, str(path)], check=True, capture_output=True)


@pytest.mark.parametrize("playbook", ["site.yml", *(f"playbooks/{name}.yml" for name in sorted(verb_specs()))])
def test_a_password_that_nobody_has_set(playbook: str, windows: Path) -> None:
    """Every verb that reads the inventory names it, and no task runs."""
    code, lines, text = run(windows, playbook)
    assert code == 64, text
    (line,) = lines
    assert line.startswith(
        "ready: The inventory: pc1, pc2: found no value for vault_windows_password, which ansible_password names; "
        "expected one."
    ), text
    assert NEXT in line
    assert "TASK [" not in text


def test_hosts_of_the_limit_alone(windows: Path) -> None:
    """A distro is reached through its Windows host; whoever is left out is not asked for."""
    (windows / "host_vars").mkdir()
    (windows / "host_vars" / "pc2.yml").write_text("vault_windows_password: x\n")
    for limit in ("pc1", "pc1-wsl"):
        code, (line,), text = run(windows, "site.yml", "--limit", limit)
        assert (code, "The inventory: pc1: found" in line) == (64, True), text
    code, lines, text = run(windows, "playbooks/windows_ping.yml", "--limit", "pc2")
    assert lines == []
    assert "TASK [" in text


def test_a_distro_that_is_not_reached_through_windows(windows: Path) -> None:
    """By its own ssh (docs/wsl_psrp.md), nothing is asked of its Windows host, and no password is needed."""
    text = (ROOT / "docs" / "examples" / "wsl_by_ssh.yml").read_text().replace(": ssh", ": local")
    (windows / "group_vars" / "wsl.yml").write_text(text)
    _, lines, text = run(windows, "playbooks/gold_standards.yml", "--limit", "pc1-wsl")
    assert lines == []
    assert "TASK [" in text


def test_a_list_of_hosts_needs_no_password(windows: Path) -> None:
    """Nothing is asked of any host."""
    code, lines, text = run(windows, "site.yml", "--list-hosts")
    assert (code, lines) == (0, []), text


@pytest.mark.parametrize(("key", "how"), [("none", "and no vault password"), ("other", "with another vault password")])
def test_a_file_that_cannot_be_decrypted(key: str, how: str, keys: dict[str, list[str]], windows: Path) -> None:
    """It is named; with its key the run begins."""
    path = windows / "group_vars" / "all.yml"
    path.write_text(f"vault_windows_password: {SECRET}\n")
    encrypt(path, keys["right"])
    code, (line,), text = run(windows, "playbooks/windows_ping.yml", *keys[key])
    assert code == 64, text
    assert (
        f"The inventory: found {path} encrypted {how}; expected the one that opens it.{NEXT}set ANSIBLE_VAULT" in line
    )
    assert "TASK [" not in text
    code, lines, text = run(windows, "playbooks/windows_ping.yml", *keys["right"])
    assert lines == []
    assert "TASK [" in text


@pytest.mark.parametrize(("key", "how"), [("none", "and no vault password"), ("other", "with another vault password")])
def test_a_value_that_cannot_be_decrypted(key: str, how: str, keys: dict[str, list[str]], windows: Path) -> None:
    """Of `!vault`, also by way of another variable."""
    command = [VAULT, "encrypt_string", *keys["right"], "--name", "vault_windows_password", SECRET]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (windows / "group_vars" / "all.yml").write_text(text)
    code, (line,), text = run(windows, "playbooks/status.yml", *keys[key])
    assert code == 64, text
    assert f"The inventory: pc1, pc2: found ansible_password encrypted {how}; expected" in line
    assert NEXT in line


@pytest.mark.parametrize(("key", "how"), [("none", "and no vault password"), ("other", "with another vault password")])
def test_a_source_that_cannot_be_decrypted(key: str, how: str, keys: dict[str, list[str]], tmp_path: Path) -> None:
    """An encrypted list of hosts is no fault of its text."""
    source = tmp_path / "hosts.yml"
    source.write_text(HOSTS)
    encrypt(source, keys["right"])
    code, (line,), text = run(source, "playbooks/status.yml", *keys[key])
    assert code == 64, text
    assert f"found {source} encrypted {how}; expected the one that opens it.{NEXT}set ANSIBLE_VAULT" in line
    with pytest.raises(failed_hosts.FailedHostsError, match=f"found an inventory encrypted {how}") as error:
        failed_hosts.inventory_variables([str(source)], keys[key])
    assert error.value.step == inventory_values.VAULT_FILE_STEP, "--failed asks nobody for a password"
    assert "--ask" not in error.value.step
    assert set(failed_hosts.inventory_variables([str(source)], keys["right"])) <= {"a", "b"}


def test_values_of_readys_own_variables(keys: dict[str, list[str]], tmp_path: Path) -> None:
    """Said by the first task, all of them, where defaults are known; a value that nobody reads is nobody's fault."""
    command = [VAULT, "encrypt_string", *keys["right"], SECRET, "--name"]
    both = [
        subprocess.run([*command, name], check=True, capture_output=True, text=True).stdout
        for name in ("postgresql_memory", "of_another_team")
    ]
    (tmp_path / "hosts.yml").write_text(HOSTS)
    (tmp_path / "group_vars").mkdir()
    values = 'redis_memory: "{{ nowhere }}"\nneo4j_memory: "{{ sizes.neo }}"\nsizes: {}\nstack_name: "{{ of_site }}"\n'
    (tmp_path / "group_vars" / "all.yml").write_text("\n".join([*both, values, "of_site: x\n"]))
    code, _, text = run(tmp_path / "hosts.yml", "playbooks/status.yml", "--limit", "a")
    assert code == 2, text
    text = " ".join(text.split())
    for found in (
        "a: found no value for nowhere, which redis_memory names; expected one. Next: ",
        "a: found nothing called neo, which neo4j_memory names; expected a value. Next: correct neo4j_memory",
        "a: found postgresql_memory encrypted and no vault password; expected the one that opens it. Next: ",
    ):
        assert found in text
    assert "of_another_team" not in text
    assert "stack_name" not in text


def test_lookups_are_left_to_the_tasks(tmp_path: Path) -> None:
    """They may ask a server or a person, and would do so twice."""
    asked = tmp_path / "asked"
    (tmp_path / "hosts.yml").write_text(HOSTS)
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text(
        f"ansible_password: \"{{{{ from_program }}}}\"\nfrom_program: \"{{{{ lookup('pipe', 'touch {asked}') }}}}\"\n"
        'ansible_user: "{{ nobody }}"\n'
    )
    code, (line,), text = run(tmp_path / "hosts.yml", "playbooks/status.yml")
    assert (code, "found no value for nobody, which ansible_user names" in line) == (64, True), text
    assert not asked.exists()


def test_a_value_that_fails_otherwise(tmp_path: Path) -> None:
    """Its own message is shown, not that of a variable which this run does not read."""
    (tmp_path / "hosts.yml").write_text(HOSTS)
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text(
        "redis_memory: \"{{ lookup('file', '/nowhere/memory') }}\"\ncheck_deadline: \"{{ nobody }}\"\n"
    )
    code, _, text = run(tmp_path / "hosts.yml", "playbooks/gold_standards.yml", "--limit", "a")
    assert code == 2, text
    assert "/nowhere/memory" in text
    assert "found no value for nobody" not in text


def test_which_values_may_not_be_there() -> None:
    """Templates and encrypted values of the connection."""
    locked = object()
    variables: dict[str, Any] = {
        "ansible_password": "{{ a }}",
        "ansible_user": "plain",
        "ansible_host": locked,
        "ansible_port": 22,
        "redis_memory": "{{ a }}",
        "ansible_managed": "{{ template_path }}",
        "ansible_of_another_team": locked,
        "ansible_become_password": "{{ a }}{{ b }}",
        "a": "{{ b }}{{ a }}",
        "b": "x",
        "ansible_ssh_private_key_file": "{{ c }}",
        "c": "{{ query('env', 'X') | first }}",
    }
    found = list(inventory_values.connection_values(variables, lambda value: value is locked))
    assert found == ["ansible_password", "ansible_host", "ansible_become_password"]


def test_words_of_messages() -> None:
    """Of an error that says something else there is none; many hosts are counted."""
    assert inventory_values.fault("x", "template error while templating string: hunter2") == ""
    assert inventory_values.locked("No such file") == ""
    assert inventory_values.encrypted_files("No such file", ["a"]) == ""
    text = inventory_values.fault("ansible_user", "'y' is undefined")
    (line,) = inventory_values.messages({text: [f"h{number}" for number in range(8)]})
    assert re.match(r"The inventory: h0, h1, h2, h3, h4 and 3 more: found no value for y, which ansible_user", line)


def test_arguments_with_vault_passwords() -> None:
    """Files, in either form; not what asks."""
    words = ["-e", "a=b", "--vault-password-file=k", "--vault-id", "x@f", "--vault-id", "y@prompt", "-J", "-vK"]
    assert commands.vault_arguments(words) == ["--vault-password-file", "k", "--vault-id", "x@f"]
