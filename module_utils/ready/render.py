# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A service's configuration and secrets as the files of its config volume. Runs on the controller."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .certificates import Served
from .credentials import initial_password_line, scram_sha_256

ROLES_DIR = Path(__file__).resolve().parents[2] / "roles"
#: Rounds for the accounts' fingerprint: about 20 ms for whoever guesses, and for each run.
ACCOUNTS_ITERATIONS = 50_000


@dataclass(frozen=True)
class File:
    """One file of a config volume: path below /run/ready, mode bits, bytes."""

    path: str
    content: bytes
    mode: int = 0o400


def salt(password: str, purpose: str) -> bytes:
    """Return 16 bytes that differ by password and purpose but not by run, so that a no-op run renders the same files.

    The passwords are random with >= 128 bits, so a derived salt gives an attacker nothing.
    """
    return hashlib.sha256(f"ready:{purpose}:{password}".encode()).digest()[:16]


def accounts_id(service: Mapping[str, Any], passwords: Mapping[str, str]) -> str:
    """Return the fingerprint of a service's accounts: changes when a login, a right or a password does.

    It is seen in PostgreSQL's environment, so it must not help to guess a short password of somebody's own: it costs as
    much to compute as a password's hash does.
    """
    facts = json.dumps([service["accounts"], service.get("database"), dict(passwords)], sort_keys=True)
    return hashlib.pbkdf2_hmac("sha256", facts.encode(), b"ready:accounts", ACCOUNTS_ITERATIONS).hex()


def render_files(
    service: Mapping[str, Any],
    passwords: Mapping[str, str],
    previous: Mapping[str, str],
    certificate: Served | None = None,
    roles: Path = ROLES_DIR,
) -> list[File]:
    """Return the config volume's files for a resolved service.

    Args:
        service: the resolved service.
        passwords: account -> password.
        previous: account -> the password before the last rotation, where there was one.
        certificate: what a service that speaks TLS serves.
        roles: where the templates are.
    """
    environment = Environment(  # noqa: S701  # configuration files, not HTML
        loader=FileSystemLoader(roles / service.get("role", service["name"]) / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    context = dict(
        service,
        passwords=passwords,
        previous=previous,
        verifiers={account: scram_sha_256(value, salt(value, "scram")) for account, value in passwords.items()},
        sha256={account: hashlib.sha256(value.encode()).hexdigest() for account, value in passwords.items()},
    )
    if service["name"] == "neo4j":
        context["initial_password_line"] = initial_password_line(passwords["admin"], salt(passwords["admin"], "neo4j"))
    files = [
        File(item["path"], environment.get_template(item["template"]).render(context).encode())
        for item in service["files"]
    ]
    files += [File(f"secrets/{account}", value.encode()) for account, value in passwords.items()]
    files += [File(f"secrets/{account}.previous", value.encode()) for account, value in previous.items()]
    if certificate:
        texts = {"server.crt": certificate.certificate, "server.key": certificate.key, "ca.crt": certificate.ca}
        files += [File(f"tls/{name}", text.encode()) for name, text in texts.items()]
    if passwords:
        files.append(File("accounts.id", accounts_id(service, passwords).encode()))
    return files


def files_hash(files: Iterable[File], owner: str) -> str:
    """Return the fingerprint of a config volume's content, owner ("uid:gid") and modes included."""
    digest = hashlib.sha256(owner.encode())
    for file in sorted(files, key=lambda item: item.path):
        digest.update(f"\0{file.path}\0{file.mode:o}\0{hashlib.sha256(file.content).hexdigest()}".encode())
    return digest.hexdigest()
