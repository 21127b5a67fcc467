"""A provider's key on its way into the encrypted secrets: typed on a terminal as a user has it, or out of a file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ready.secrets.vault import SecretStore
from ready.stack.external import secrets_entry

from tests.unit.cli.test_question import ENVIRONMENT, PROGRAM
from tests.unit.stack.endpoints import GOOD, KEY
from tests.unit.terminal import typed

OTHER = "sk-another/key+of=theirs~1Zb7"
#: Of a play that fails and ends nothing: a start of Ansible for each costs more than what it does.
GOES_ON = {"ignore_errors": True}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return the directory of an inventory whose AI service is elsewhere."""
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    variables = {"ready_services": ["ai"], "ai_backend": "external", "ai_endpoint": GOOD}
    (tmp_path / "hosts.yml").write_text(json.dumps({"ready": {"hosts": {"localhost": host}, "vars": variables}}))
    (tmp_path / "typed").write_text(f"{OTHER}\n")
    (tmp_path / "typed").chmod(0o600)
    return tmp_path


def play(action: str, **options: Any) -> dict[str, Any]:
    """Return the play that does this with the secrets."""
    definition = {"import_role": {"name": "stack", "tasks_from": "rotate" if action == "rotate" else "endpoints"}}
    task = {"stack_secrets": {"stack": "{{ ready_stack }}", "action": action, **({"services": ["ai"]} | options)}}
    return {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [definition, task],
        "environment": {"DOCKER_HOST": "unix:///none"},
    }


def command(place: Path, *plays: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Return how these plays are run, and in which environment."""
    (place / "play.yml").write_text(json.dumps(plays))
    names = {"READY_VAULT_KEY_FILE": str(place / "vault-key"), "ANSIBLE_LOG_PATH": str(place / "log")}
    return [PROGRAM, "-vvvv", "-i", str(place / "hosts.yml"), str(place / "play.yml")], ENVIRONMENT | names


def run(place: Path, *plays: dict[str, Any]) -> tuple[int, list[str]]:
    """Run plays where nobody can type; return the exit code and what each of them printed.

    One that fails ends the run, unless it ignores errors.
    """
    named = [{"name": f"play {number}", **each} for number, each in enumerate(plays)]
    words, environment = command(place, *named)
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=place
    )
    _, *said = re.split(r"^PLAY \[play \d+\]", done.stdout + done.stderr, flags=re.MULTILINE)
    return done.returncode, [" ".join(text.split()) for text in said]


def answered(place: Path, answers: dict[bytes, bytes]) -> tuple[int, str]:
    """Set the key on a terminal: what is asked -> what is typed then, in this order."""
    words, environment = command(place, play("set"))
    return typed(words, environment, answers)


def kept(place: Path) -> str:
    """Return the key that is in the encrypted secrets."""
    path = place / "host_vars" / "localhost" / "ready_secrets.vault"
    store = SecretStore.open(path, place / "vault-key")
    return store.passwords("ready", secrets_entry("ai")).get("app", "")


def test_typed(place: Path) -> None:
    """It is not shown, also with -vvvv, nor logged; another one wants a yes."""
    code, shown = answered(place, {b"it is not shown): ": KEY.encode() + b"\r"})
    assert (code, kept(place)) == (0, KEY), shown
    replace, key = b"Type yes to replace it: ", b"it is not shown): "
    code, more = answered(place, {replace: b"no\r"})
    assert (code, kept(place)) == (2, KEY), more
    assert "The key stays as it is." in more
    code, last = answered(place, {replace: b"yes\r", key: OTHER.encode() + b"\r"})
    assert (code, kept(place)) == (0, OTHER), last
    code, refused = answered(place, {replace: b"yes\r", key: b"two words\r"})
    assert (code, kept(place)) == (2, OTHER), refused
    written = (place / "log").read_text() + shown + more + last + refused
    assert KEY not in written
    assert OTHER not in written


def test_out_of_a_file(place: Path) -> None:
    """Where nobody can type; a second time changes nothing; another key needs --yes there."""
    (place / "another").write_text(KEY)
    (place / "another").chmod(0o600)
    file, another = str(place / "typed"), str(place / "another")
    code, said = run(
        place,
        play("set") | GOES_ON,
        play("set", from_file=file),
        play("set", from_file=file),
        play("set", from_file=another) | GOES_ON,
    )
    assert (code, kept(place)) == (0, OTHER), said
    nobody, first, second, refused = said
    assert "Next: run it again with --from-file FILE" in nobody
    assert ("changed: [localhost]" in first, "changed: [localhost]" in second) == (True, False), said
    assert OTHER not in first + second
    assert "or --yes" in refused
    code, said = run(place, play("set", from_file=another, replace=True))
    assert (code, kept(place)) == (0, KEY), said


def test_other_verbs(place: Path) -> None:
    """It is shown to whoever asks for it, and no rotation makes a new one."""
    code, said = run(
        place,
        play("show") | GOES_ON,
        play("set", from_file=str(place / "typed")),
        play("show"),
        play("rotate") | GOES_ON,
        play("set", account="monitor"),
    )
    assert (code, kept(place)) == (2, OTHER), said
    none, _, shown, rotated, account = said
    assert "/ready secrets set --service ai" in none
    assert OTHER in shown
    assert "makes its own key" in rotated
    assert "--account: found monitor, expected app" in account


def test_a_service_of_the_stack(place: Path) -> None:
    """Its passwords are Ready's."""
    hosts = json.loads((place / "hosts.yml").read_text())
    hosts["ready"]["vars"] = {"ready_services": ["redis"]}
    (place / "hosts.yml").write_text(json.dumps(hosts))
    code, (said,) = run(place, play("set", services=["redis"]))
    assert code == 2, said
    assert "--service: found redis" in said
    assert "/ready secrets rotate" in said
