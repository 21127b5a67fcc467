"""Slips in the user's files: messages name file, line and column, before Ansible quotes the line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ready.cli import variable_files

ROOT = Path(__file__).resolve().parents[3]
SECRET = "Hunter2-is-my-own-secret"
SLIPS = {
    "open quote": (f'a: 1\nb: "{SECRET}\n', "line 2, column 4"),
    "tab": (f"a: 1\nb:\n\tc: {SECRET}\n", "line 3, column 1"),
    "two colons": (f"a: b: {SECRET}\n", "line 1, column 5"),
    "unknown tag": (f"a: 1\nb: !{SECRET}\n", "line 2, column 4"),
    "alias of nothing": (f"a: 1\nb: *{SECRET}\n", "line 2, column 4"),
    "no date": ("a:\n  - b: 2026-13-45\n", "line 2, column 8"),
    "key that is none": (f"a: 1\n? [{SECRET}]\n: 2\n", "line 2, column 3"),
    "two documents": (f"a: 1\n---\nb: {SECRET}\n", "line 2, column 1"),
    "not UTF-8": (f"a: {SECRET}\udcff\n", ""),
}


@pytest.mark.parametrize(("text", "place"), SLIPS.values(), ids=SLIPS)
def test_slips_are_told_by_their_place(tmp_path: Path, text: str, place: str) -> None:
    """Never by their text."""
    path = tmp_path / "vars.yml"
    path.write_text(text, errors="surrogateescape")
    (message,) = variable_files.syntax_faults([path])
    assert message.startswith(f"{path}: {place}")
    assert SECRET not in message


def test_what_ansible_can_read_passes(tmp_path: Path) -> None:
    """Encrypted files, tags of Ansible's own, JSON with tabs; a directory is no file."""
    texts = [
        "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
        "a: &x {b: 1}\nc: {<<: *x}\nd: !!set {e}\nf: 2026-11-12\n",
        "a: !vault |\n  $ANSIBLE_VAULT;1.1\nb: !unsafe '{{'\n",
        '{\n\t"a": 1}',
        "",
    ]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.yml").write_text(text)
    assert variable_files.syntax_faults([*tmp_path.iterdir(), tmp_path]) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Each inventory plugin of Ansible fails by it, and blames the inventory."""
    (message,) = variable_files.syntax_faults([tmp_path / "none.yml"])
    assert message.startswith(f"{tmp_path}/none.yml: found no file that can be read (No such file")
    os.mkfifo(tmp_path / "pipe")
    assert variable_files.syntax_faults([tmp_path / "pipe"]) == [], "what can be read once is Ansible's"


@pytest.mark.parametrize(
    "words",
    [
        ["-e", "@f.yml"],
        ["-e@f.yml"],
        ["--extra-vars", "@f.yml"],
        ["--extra-vars=@f.yml"],
        ["--extra", "@f.yml"],
        ["-ve@f.yml"],
    ],
)
def test_files_of_extra_variables_are_found(words: list[str]) -> None:
    """In each way that ansible-playbook takes them; a variable is no file."""
    assert list(variable_files.extra_vars_files(["-v", *words, "-e", "a=@b"])) == [Path("f.yml")]


def test_files_of_an_inventory_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a source file as in a directory; what Ansible ignores is left alone."""
    names = ["hosts.yml", "group_vars/all.yml", "group_vars/ready/plain", "host_vars/a/b.json"]
    names += ["host_vars/web1.example.com", "host_vars/web2.example.com/more/b"]
    others = ["host_vars/a/ready_secrets.vault", "key.pem", "hosts.ini", "group_vars/.hidden", "host_vars/.git/index"]
    for name in [
        *names,
        *others,
        "host_vars/a/.git/index",
        "host_vars/a/b.d/c.yml",
        "host_vars/NOTES.md",
        "host_vars/a/b~",
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for inventory in (tmp_path, tmp_path / "hosts.yml"):
        found = [path for path in variable_files.inventory_files([str(inventory)]) if path.is_file()]
        assert sorted(found) == sorted(tmp_path / name for name in names)
    assert list(variable_files.inventory_files(["a,b"])) == []
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path / "hosts.yml" in list(variable_files.inventory_files(["~/hosts.yml"]))
    assert ROOT / "inventories/local/hosts.yml" in list(variable_files.inventory_files([]))


@pytest.mark.parametrize("where", ["extra", "inventory", "environment"])
def test_the_launcher_stops_before_ansible(tmp_path: Path, where: str) -> None:
    """It ends with 64, and with the place."""
    (tmp_path / "hosts.yml").write_text("ready: {hosts: {localhost: {ansible_connection: local}}}\n")
    path = tmp_path / ("vars.yml" if where == "extra" else "group_vars/all.yml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(SLIPS["tab"][0])
    extra = ["--", "-e", f"@{path}"] if where == "extra" else []
    source = [] if where == "environment" else ["-i", str(tmp_path / "hosts.yml")]
    code = "import sys; from ready.cli.launcher import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "status", *source, *extra],
        env=os.environ | {"PYTHONPATH": str(ROOT / "module_utils"), "ANSIBLE_INVENTORY": str(tmp_path / "hosts.yml")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 64, done
    assert f"{path}: line 3, column 1" in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_ansible_shows_places_and_no_lines(tmp_path: Path) -> None:
    """A template in group_vars that can't be read: Ansible prints the line around it, `no_log` or not."""
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "hosts.yml").write_text("all: {hosts: {localhost: {ansible_connection: local}}}\n")
    (tmp_path / "group_vars/all.yml").write_text(f'a: 1\nsecret: "{SECRET} {{{{ x"\n')
    (tmp_path / "play.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - {debug: {msg: '{{ secret }}'}, no_log: true, ignore_errors: true}\n"
        "    - {debug: {msg: '{{ given }}'}, ignore_errors: true}\n"
    )
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", str(tmp_path / "hosts.yml"), str(tmp_path / "play.yml"), "-e", f'{{"given": "{SECRET} {{{{ x"}}'),
        ],
        env=os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.count("...ignoring") == 2, done
    assert f"Origin: {tmp_path}/group_vars/all.yml:2:" in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_places_alone_from_another_directory(tmp_path: Path) -> None:
    """Without Ready's ansible.cfg the plugin is found beside the playbook, that of the root as those of verbs."""
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "hosts.yml").write_text("ready: {hosts: {localhost: {ansible_connection: local}}}\n")
    (tmp_path / "group_vars/all.yml").write_text(f'a: 1\nstack_name: "{SECRET} {{{{ x"\n')
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    for playbook in ("playbooks/status.yml", "site.yml"):
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", str(ROOT / playbook)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert f"Origin: {tmp_path}/group_vars/all.yml:2:" in done.stdout + done.stderr
        assert SECRET not in done.stdout + done.stderr
