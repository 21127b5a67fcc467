"""Whose password Neo4j holds: only an answer to the current one may say that it is another."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from ready.docker.wait import WRONG_PASSWORD
from ready.stack.definitions import load_definitions

CLOSED = "query.sh: connect: Connection refused"
REFUSED = 'neo4j answered: {"errors":[{"code":"Neo.ClientError.Security.Unauthorized"}]}'
BUSY = 'neo4j answered: {"errors":[{"code":"Neo.TransientError.General.DatabaseUnavailable"}]}'
FINE = ""


@pytest.mark.parametrize(
    ("admin", "previous", "code", "another"),
    [
        (FINE, None, 0, False),
        (CLOSED, REFUSED, 1, False),
        (REFUSED, FINE, 0, False),
        (REFUSED, REFUSED, 1, True),
        (REFUSED, None, 1, True),
        (REFUSED, CLOSED, 1, False),
        (REFUSED, BUSY, 1, False),
        (BUSY, FINE, 1, False),
    ],
    ids=["right", "just starting", "rotated", "foreign", "foreign, no rotation", "restarts", "busy", "not ready"],
)
def test_who_is_believed(tmp_path: Path, admin: str, previous: str | None, code: int, another: bool) -> None:
    """While the port is closed nothing is known; the previous password is tried when the current one is refused."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "accounts.id").touch()
    if previous is not None:
        (tmp_path / "secrets" / "admin.previous").touch()
        (tmp_path / "said.admin.previous").write_text(previous)
    (tmp_path / "said.admin").write_text(admin)
    # As the real one: it fails with words. What sets the accounts comes after a success.
    (tmp_path / "query.sh").write_text(
        f'[[ $3 == */accounts.json ]] && exit\nsaid=$(<"{tmp_path}/said.$1")\n[ -z "$said" ] && exit\n'
        'echo "$said" >&2\nexit 1\n'
    )
    shell, options, script = load_definitions()["neo4j"]["reconcile"]
    script = re.sub(r"/run/ready|/tmp(?=/)|/data(?=/)", str(tmp_path), script)
    done = subprocess.run([shell, options, script], capture_output=True, text=True, check=False)
    assert (done.returncode, bool(WRONG_PASSWORD.search(done.stdout + done.stderr))) == (code, another), done.stderr
