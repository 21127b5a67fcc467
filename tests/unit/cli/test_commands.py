"""A command in a message can be pasted, and shows no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ready.cli import commands
from ready.secrets.search import Search

ROOT = Path(__file__).resolve().parents[3]
SECRET = "Xk3vQ9mT2bLw7RzN5cHs8JdF4gYp6AeU"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Next: ./ready up", "Next: ./ready up -i inv"),
        ("Next: ./ready up.", "Next: ./ready up -i inv."),
        ("./ready logs --service redis; ./ready up", "./ready logs --service redis -i inv; ./ready up -i inv"),
        ("./ready backup list names them", "./ready backup list -i inv names them"),
        ("./ready backup makes a set", "./ready backup -i inv makes a set"),
        ("`./ready prune --kept` removes", "`./ready prune --kept -i inv` removes"),
        ("./ready env --secrets > .env", "./ready env --secrets -i inv > .env"),
        ("./ready secrets rotate --service redis.", "./ready secrets rotate --service redis -i inv."),
        ("./ready restore -i DIR/inventory --key-file FILE", "./ready restore -i DIR/inventory --key-file FILE"),
        ("see `./ready secrets recover --help`.", "see `./ready secrets recover --help -i inv`."),
        ("./ready init DIR", "./ready init DIR"),
        ("./ready check (for 5 requirements)", "./ready check -i inv (for 5 requirements)"),
    ],
)
def test_a_command_is_completed(text: str, expected: str) -> None:
    """After its own options, wherever it stands in a sentence."""
    assert commands.complete_commands(text, ["-i", "inv"], "./ready") == expected


def test_what_a_call_was_given_is_kept() -> None:
    """As it was written; what concerned that run alone is left out."""
    words = ["-i", "my inv", "-l", "pc1", "--stack-name", "b", "--yes", "--only", "redis", "-vvv"]
    passed = ["-e", "@more.yml", "-e", "redis_memory=300m", "-u", "admin", "-K", "--vault-password-file", "key"]
    found = commands.repeated_arguments([*words, "--", *passed])
    assert commands.complete_commands("Next: ./ready up", found, "../ready") == (
        "Next: ../ready up -i 'my inv' -l pc1 --stack-name b -- -e @more.yml -e redis_memory=300m -u admin "
        "--vault-password-file key -K"
    )


def test_an_own_limit_and_a_verb_without_a_stack() -> None:
    """What the message itself says is not said twice, nor what the verb does not know."""
    found = ["-i", "inv", "-l", "all", "--stack-name", "b"]
    assert commands.complete_commands("./ready images save --limit pc1", found, "./ready") == (
        "./ready images save --limit pc1 -i inv --stack-name b"
    )
    assert commands.complete_commands("./ready fleet", found, "./ready") == "./ready fleet -i inv -l all"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@secrets.yml", True),
        ("redis_port=6380", True),
        (f"redis_port={SECRET}", False),
        ("redis_memory=300m ready_tls=true", True),
        ("image_source=build", True),
        ('{"redis_port": 6380}', True),
        (f'{{"redis_port": 6380, "ansible_become_password": "{SECRET}"}}', False),
        (f"ansible_become_password={SECRET}", False),
        (f"redis_port=6380 ansible_password={SECRET}", False),
        (f"backup_repository=rest:https://u:{SECRET}@h/", False),
        (f"docker_engine_proxy=http://u:{SECRET}@proxy:3128", False),
        (f"container_images_registry_password={SECRET}", False),
        (f"redis_settings={{'requirepass': '{SECRET}'}}", False),
        (SECRET, False),
        (f"a='{SECRET}", False),
        (f"{{a: [{SECRET}", False),
    ],
)
def test_variables(text: str, shown: bool) -> None:
    """Only Ready's own, and of a kind that holds no secret."""
    words = commands.repeated_arguments(["--", "-e", text])
    assert words == ["--", "-e", text if shown else commands.HIDDEN]
    forms = [[start, text] for start in ("-e", "--extra-vars", "--extra", "--e", "-ve", "-vvvKe")]
    forms += [[f"{start}{text}"] for start in ("-e", "--extra-vars=", "--ex=", "-ve", "-Ke")]
    for form in forms:
        assert commands.repeated_arguments(["--", *form])[:3] == words
        line = commands.shell_quoted(commands.redacted_arguments(form))
        assert (SECRET in line) is (shown and SECRET in text)
        assert (commands.HIDDEN in line) is not shown
    assert commands.repeated_arguments(["-Ke", text, "-vbe", text])[-2:] == ["-K", "-b"]


def test_how_the_launcher_was_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the checkout as the docs have it, elsewhere as the shell had it."""
    monkeypatch.chdir(tmp_path)
    link = tmp_path / "ready"
    link.symlink_to(ROOT / "ready")
    monkeypatch.setenv("PATH", str(tmp_path))
    whole = str(ROOT / "ready")
    assert commands.launcher_command(whole, ROOT) == "./ready"
    assert commands.launcher_command("./ready", tmp_path) == "./ready"
    assert commands.launcher_command("ready", tmp_path) == "ready"
    assert commands.launcher_command(whole, None) == whole
    assert commands.launcher_command("", tmp_path) == whole


def test_what_a_run_prints_and_logs(tmp_path: Path) -> None:
    """Errors, messages and tables have the whole command, and neither they nor the log have the secret."""
    playbook = tmp_path / "play.yml"
    playbook.write_text(
        json.dumps(
            [
                {
                    "hosts": "localhost",
                    "gather_facts": False,
                    "tasks": [
                        {"show": {"lines": ["table. Next: ./ready status"]}},
                        {"debug": {"msg": f"{'a long message, ' * 9}Next: ./ready logs --service redis"}},
                        {"fail": {"msg": "localhost: found nothing. Next: ./ready up"}},
                    ],
                }
            ]
        )
    )
    log = tmp_path / "log"
    environment = os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOG_PATH": str(log)}
    environment.pop(commands.ARGUMENTS_VARIABLE, None)
    command = ["-i", "localhost,", "-c", "local", "-e", "redis_port=6380", "-e", f"ansible_become_password={SECRET}"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), *command, str(playbook)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    expected = "-i localhost, -- -e redis_port=6380 -e … -c local"
    for text in (done.stdout + done.stderr, log.read_text()):
        assert f"table. Next: ./ready status {expected}\n" in text, text
        assert f"Next: ./ready logs --service redis {expected}\n" in text, text
        assert f"found nothing. Next: ./ready up {expected}\n" in text, text
        assert Search({"services": {}}, {"redis": {"app": SECRET}}).text(text, "the output") == []


def test_the_launcher_shows_no_secret(tmp_path: Path) -> None:
    """Neither in the line that says what it starts nor in what it hands over."""
    tool = tmp_path / "ansible-playbook"
    tool.write_text("#!/bin/sh\nenv\n")
    tool.chmod(0o755)
    code = "from ready.cli.launcher import main; main()"
    words = ["status", "-i", "a,b", "--stack-name", "shop", "--", "-e", f"ansible_become_password={SECRET}"]
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "module_utils")}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, check=True
    )
    assert SECRET not in done.stdout + done.stderr
    assert " -e …\n" in done.stderr
    assert (
        f"{commands.ARGUMENTS_VARIABLE}={json.dumps(['-i', 'a,b', '--stack-name', 'shop', '--', '-e', '…'])}"
        in done.stdout
    )
