"""Nothing done is never success: what ends a playbook before its first task, by verb and by ansible-playbook alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ready.cli.bounds import options_with_bounds, variable_faults
from ready.cli.host_groups import HostGroupError, refuse_no_host, tag_fault
from ready.stack.argument_specs import role_specs, verb_specs

from tests.unit.tools.warmed import program

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = str(Path(sys.executable).parent / "ansible-playbook")
LINUX = "ready: {hosts: {a: {}, b: {}}}\nother: {hosts: {c: {}}}\n"
WINDOWS = "ready: {hosts: {w: {}}}\nwindows: {hosts: {w: {}, x: {}}}\n"
NEXT = "Nothing was changed. Next: "


def listed(source: Path, playbook: str, *words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Ask which hosts a playbook would act on, as a user of ansible-playbook."""
    command = [program(), "-i", str(source), str(ROOT / playbook), "--list-hosts", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "text", "call", "message"),
    [
        ("hosts.yml", "", "playbooks/backup.yml", "found no host; expected"),
        ("hosts.yml", "ready: {hosts: {}}\n", "site.yml", "found no host; expected"),
        ("hosts.yml", "ready: {hosts: {a: {}}\n", "site.yml", "found a fault in line 2, column 1 of"),
        (
            "hosts.ini",
            "[ready\nsecret=hunter2 x",
            "playbooks/status.yml",
            "which can't be read; expected hosts and groups",
        ),
        ("twins.yml", "plugin: ready_twins\n", "site.yml", "the inventory has no group 'windows'"),
        (
            "dynamic",
            '#!/bin/sh\necho \'{"_meta": {"hostvars": {}}}\'\n',
            "playbooks/backup.yml",
            "found no host; expected",
        ),
        ("dynamic", "#!/bin/sh\nexit 3\n", "site.yml", "gave no inventory; expected JSON"),
        ("absent", None, "site.yml", "found nothing at"),
        ("hosts.yml", LINUX, "playbooks/backup.yml --limit c", "--limit: found 'c', which leaves none of the hosts"),
        ("hosts.yml", LINUX, "site.yml --limit c", "name some of a, b"),
        ("hosts.yml", LINUX, "playbooks/windows.yml", "found no Windows host"),
        ("hosts.yml", LINUX, "playbooks/diagnose.yml", "found no Windows host"),
        ("hosts.yml", LINUX, "playbooks/status.yml -e ready_hosts=nope", "found no host for 'nope'"),
        ("hosts.yml", WINDOWS, "playbooks/up.yml", "found no host for 'ready:!windows'"),
        ("hosts.yml", WINDOWS, "site.yml --limit x", "--limit: found 'x'"),
        (
            "hosts.yml",
            LINUX,
            "site.yml --tags nope",
            "--tags: found nope, expected some of preflight, docker, images, serv",
        ),
        (
            "hosts.yml",
            WINDOWS,
            "site.yml --tags services",
            "--tags: found services, expected some of preflight, docker. ",
        ),
        (
            "hosts.yml",
            LINUX,
            "playbooks/status.yml --start-at-task nope",
            "--start-at-task: found a task, expected none",
        ),
        ("hosts.yml", LINUX, "playbooks/backup.yml --tags docker", "expected none: this playbook has no tags"),
        ("hosts.yml", LINUX, "playbooks/up.yml --skip-tags preflight", "--skip-tags: found preflight"),
        (
            "hosts.yml",
            LINUX,
            "playbooks/up.yml -e ready_serial=foo",
            "ready_serial: found 'foo', expected a number of hosts",
        ),
        (
            "hosts.yml",
            LINUX,
            "playbooks/env.yml -e ready_output=/no/such/file",
            "ready_output: found no directory /no/such",
        ),
        ("hosts.yml", LINUX, "site.yml -e ready_max_fail_percentage=200", "ready_max_fail_percentage: found 200"),
    ],
)
def test_refused(name: str, text: str | None, call: str, message: str, tmp_path: Path) -> None:
    """By a line with the next step, and an exit code that no timer takes for success."""
    source = tmp_path / name
    if text is not None:
        source.write_text(text)
        source.chmod(0o755 if text.startswith("#!") else 0o644)
    playbook, *words = call.split()
    done = listed(source, playbook, *words)
    assert done.returncode == 64, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if "Could not match supplied host pattern" not in line]
    assert [line for line in lines if message in line and NEXT in line], done.stderr
    assert len(lines) == 1, done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_extra_variables_are_not_blamed_on_the_inventory(tmp_path: Path) -> None:
    """Every inventory plugin reads them, and fails by them; the inventory is good. Kinds: test_unread.py."""
    (tmp_path / "hosts.yml").write_text(LINUX)
    done = listed(tmp_path / "hosts.yml", "site.yml", "-e", "{a: [hunter2")
    assert done.returncode == 64, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("ready: -e: found a value that can't be read")
    assert NEXT in line
    assert "hunter2" not in line


def test_what_lies_beside_the_hosts_is_ignored(tmp_path: Path) -> None:
    """Certificates, keys, notes and encrypted files: no warning, as before a password is asked for. From anywhere."""
    (tmp_path / "hosts.yml").write_text(WINDOWS)
    (tmp_path / "tls").mkdir()
    names = ("ca.pem", "ca.crt", "ready_secrets.vault", "NOTES.md", "tls/server.pem", "README", "id_ed25519", "run.log")
    for name in (*names, "id_ed25519.pub", "hosts.yml.j2", "fleet.html", "ready_secrets.yml.gpg"):
        (tmp_path / name).write_text("- [\n")
    (tmp_path / "more.yml").write_text("---\n# nothing yet\n")
    (tmp_path / "deploy.sh").write_text(f"#!/bin/sh\ntouch {tmp_path}/deployed\n")
    (tmp_path / "deploy.sh").chmod(0o755)
    done = listed(tmp_path, "site.yml")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"hosts \((\d)\)", done.stdout) == ["1", "1", "0", "0"]
    assert not (tmp_path / "deployed").exists(), "a program that gives no inventory was run"


def test_site_needs_hosts_of_either_group(tmp_path: Path) -> None:
    """Windows hosts alone are enough, and so are Linux hosts alone."""
    source = tmp_path / "hosts.yml"
    source.write_text(LINUX)
    done = listed(source, "site.yml", "--tags", "docker,report")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"hosts \((\d)\)", done.stdout)[-1] == "2"


def test_decisions() -> None:
    """The same, as functions."""
    refuse_no_host("ready", ["a", "b"], ["b", "c"], "b:c")
    with pytest.raises(
        HostGroupError, match=r"found no Windows host.* Next: .*-i \(\./ready init DIR --example windows"
    ):
        refuse_no_host([], [], ["a"])
    assert tag_fault(["all"], [], []) is None
    assert tag_fault(["docker"], [], ["docker", "images"]) is None
    assert tag_fault(["all"], ["molecule-notest", "notest"], ["docker"]) is None
    assert "found dokcer, expected some of docker" in str(tag_fault(["docker", "dokcer"], [], ["docker"]))
    verbs = options_with_bounds(verb_specs().values())
    roles = options_with_bounds(point for role in role_specs().values() for point in role.values())
    assert variable_faults(verbs, {"ready_samples": "20", "ready_serial": "25%", "ready_watch": None}) == []
    assert variable_faults(verbs, {"ready_samples": 0}) == [
        "ready_samples: found 0, expected a whole number from 1 to 1000000"
    ]
    assert variable_faults(roles, {"redis_cpus": -1, "backup_pitr_days": "x"}) == [
        "backup_pitr_days: found x, expected a number from 0 to 3650",
        "redis_cpus: found -1, expected a number from 0.01 to 1024",
    ]


@pytest.mark.parametrize(
    "path", [ROOT / "site.yml", *sorted((ROOT / "playbooks").glob("*.yml"))], ids=lambda path: path.name
)
def test_every_playbook_is_guarded(path: Path) -> None:
    """And the tags that its guard lets pass are those of its tasks."""
    if path.name.endswith(".meta.yml"):
        return
    plays = [play for play in yaml.safe_load(path.read_text()) if "hosts" in play]
    assert "| ready_guard" in plays[0]["hosts"]
    allowed = re.search(r"tags=\[([^]]*)\]", plays[0]["hosts"])
    text = path.read_text() + ((ROOT / "playbooks/tasks/change_stack.yml").read_text() if path.name == "up.yml" else "")
    tags = {tag for found in re.findall(r"^ *tags: \[(.*)\]$", text, re.MULTILINE) for tag in found.split(", ")} - {
        "always"
    }
    if path.name != "site.yml":
        assert tags == set(re.findall(r"'(\w+)'", allowed[1]) if allowed else ())


def test_playbooks_work_from_another_directory(inventory: Path, tmp_path: Path) -> None:
    """Roles, modules and filters are found beside the playbook, without this checkout's ansible.cfg."""
    for playbook, *words in (["playbooks/report.yml"], ["site.yml", "--tags", "report"]):
        command = [PROGRAM, "-i", str(inventory), str(ROOT / playbook), "--check", *words]
        environment = {name: value for name, value in os.environ.items() if name != "ANSIBLE_CONFIG"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Readiness of the stack ready" in done.stdout


def test_a_playbook_of_the_users_own(tmp_path: Path) -> None:
    """Its tags and its limit may be those of another play: Ready's ends for want of hosts, as any play does."""
    (tmp_path / "hosts.yml").write_text(LINUX)
    nginx = {"hosts": "c", "tags": ["nginx"], "tasks": []}
    ours = {"ansible.builtin.import_playbook": str(ROOT / "playbooks" / "up.yml")}
    mine = tmp_path / "mine.yml"
    mine.write_text(yaml.safe_dump([nginx, ours]))
    done = listed(tmp_path / "hosts.yml", str(mine), "--tags", "nginx", "--limit", "c")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"hosts \((\d)\)", done.stdout) == ["1", "0"]
    done = listed(tmp_path / "hosts.yml", str(mine), "-e", "ready_serial=foo")
    assert done.returncode == 64
    assert (
        "ready_serial: found 'foo', expected a number of hosts or a share such as 25%. Next: correct it" in done.stderr
    )


def test_report_of_an_inventory_that_says_nothing(tmp_path: Path) -> None:
    """As the default one: what a role's defaults say is not evaluated before there is a role."""
    (tmp_path / "hosts.yml").write_text("ready: {hosts: {localhost: {ansible_connection: local}}}\n")
    command = [PROGRAM, "-i", str(tmp_path / "hosts.yml"), "playbooks/report.yml", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_variables_of_hosts_are_not_asked_for(tmp_path: Path) -> None:
    """No host is there yet: what another playbook imports with may be said by variables of hosts."""
    (tmp_path / "hosts.yml").write_text(LINUX)
    variables = {"stack_name": "{{ of_a_host }}", "ready_samples": "{{ of_a_host }}"}
    importing = [{"ansible.builtin.import_playbook": str(ROOT / "playbooks" / "up.yml"), "vars": variables}]
    (tmp_path / "mine.yml").write_text(yaml.safe_dump(importing))
    done = listed(tmp_path / "hosts.yml", str(tmp_path / "mine.yml"), "-e", "ready_deadline={{ of_a_host }}")
    assert done.returncode == 0, done.stderr


def test_a_limit_that_ansible_does_not_know(inventory: Path) -> None:
    """Ansible ends before anything of Ready is loaded, so the launcher says what is next."""
    command = [str(ROOT / "ready"), "status", "-i", str(inventory), "--limit", "nobody"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f" -i {inventory} --graph shows what --limit can name\n" in done.stderr


def test_syntax_check_needs_no_host() -> None:
    """Linters have an inventory without Windows hosts."""
    command = [program(), "playbooks/windows.yml", "--syntax-check"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inventory of a stack that was never made, without ChromaDB's gateway."""
    directory = tmp_path_factory.mktemp("new")
    subprocess.run([ROOT / "ready", "init", directory], check=True, capture_output=True)
    return directory / "inventory"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("env --secrets", "found no password of ai/app, "),
        ("secrets show --service redis", "found no password of redis/admin, "),
        ("logs --service gateway", "--service: found gateway, expected some of postgresql, neo4j, chromadb, redis"),
        ("status -- -e redis_cpus=-1", "redis_cpus: found -1, expected a number from 0.01 to 1024"),
        ("check -- -e ready_samples=0", "ready_samples: found 0, expected a whole number from 1 to"),
    ],
)
def test_refused_on_the_host(call: str, message: str, inventory: Path) -> None:
    """What only the host's variables and secrets tell, before the host itself is asked."""
    command = [str(ROOT / "ready"), "-i", str(inventory), *call.split()]
    key = {"READY_VAULT_KEY_FILE": str(inventory.parent / "key")}
    done = subprocess.run(command, env=os.environ | key, capture_output=True, text=True, check=False)
    shown = " ".join((done.stdout + done.stderr).split())
    assert done.returncode in {2, 64}, shown
    assert shown.count(message) == 1, shown
    assert "Next: " in shown or "expected" in shown
