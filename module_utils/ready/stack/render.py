# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Render a service's configuration and secrets as the files of its config volume. Runs on the controller."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..common.config_file import File
from ..common.lazy_table import Lazily
from ..common.paths import ROOT
from ..registry import table
from ..secrets.certificates import Served
from ..secrets.password_hashes import derived_salt, scram_sha_256
from . import gateway_files
from .resolved import is_reloadable

ROLES_DIR = ROOT / "roles"
#: Service -> what returns the values that its templates need beside those that every service's have.
TEMPLATE_VALUES: Lazily[Callable[[Mapping[str, Any], Mapping[str, str]], dict[str, Any]]] = table("template_values")
#: Rounds for the accounts' fingerprint: about 20 ms for whoever guesses, and for each run.
ACCOUNTS_ITERATIONS = 50_000


def accounts_id(service: Mapping[str, Any], passwords: Mapping[str, str], sets: Iterable[File] = ()) -> str:
    """Return the fingerprint of a service's accounts: changes when a login, a right or a password does.

    `sets` are the files that set them, so that another version's rights reach data that an earlier one made.

    It is seen in PostgreSQL's environment, so it must not help to guess a short password of somebody's own: it costs as
    much to compute as a password's hash does.
    """
    files = [file.content.decode() for file in sets]
    facts = json.dumps([service["accounts"], service.get("database"), dict(passwords), *files], sort_keys=True)
    return hashlib.pbkdf2_hmac("sha256", facts.encode(), b"ready:accounts", ACCOUNTS_ITERATIONS).hex()


def render_files(
    service: Mapping[str, Any],
    passwords: Mapping[str, str],
    previous: Mapping[str, str],
    certificate: Served | None = None,
    roles: Path = ROLES_DIR,
    *,
    rotated: Mapping[str, int] | None = None,
) -> list[File]:
    """Return the config volume's files for a resolved service.

    Args:
        service: the resolved service.
        passwords: account -> password.
        previous: account -> the password before the last rotation, where there was one.
        certificate: what a service that speaks TLS serves.
        roles: where the templates are.
        rotated: account -> when its previous password was replaced, in seconds since 1970.
    """
    environment = Environment(  # noqa: S701  # configuration files, not HTML
        loader=FileSystemLoader(roles / service.get("role", service["name"]) / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quote"] = shlex.quote
    context = dict(
        service,
        passwords=passwords,
        previous=previous,
        # Made for who asks: each takes 4,096 rounds, and PostgreSQL's templates alone have them.
        verifiers=Lazily(
            tuple(passwords), lambda name: scram_sha_256(passwords[name], derived_salt(passwords[name], "scram"))
        ),
        sha256={account: hashlib.sha256(value.encode()).hexdigest() for account, value in passwords.items()},
    )
    if template_values := TEMPLATE_VALUES.get(service["name"]):
        context |= template_values(service, passwords)
    if "fronts" in service:
        context["front"] = gateway_files.context(service)
    files = [
        File(item["path"], environment.get_template(item["template"]).render(context).encode())
        for item in service["files"]
    ]
    if "fronts" in service:
        maps = gateway_files.maps(service, passwords, previous, rotated or {})
        files += [File(path, text.encode()) for path, text in maps.items()]
    files += [File(f"secrets/{account}", value.encode()) for account, value in passwords.items()]
    files += [File(f"secrets/{account}.previous", value.encode()) for account, value in previous.items()]
    if certificate:
        texts = {"server.crt": certificate.certificate, "server.key": certificate.key, "ca.crt": certificate.ca}
        files += [File(f"tls/{name}", text.encode()) for name, text in texts.items()]
    if passwords and "front" not in service:  # what is behind a gateway knows no accounts
        sets = [file for file in files if file.path.startswith("accounts.")]
        files.append(File("accounts.id", accounts_id(service, passwords, sets).encode()))
    return files


def files_hash(files: Iterable[File], owner: str) -> str:
    """Return the fingerprint of a config volume's content, owner ("uid:gid") and modes included."""
    digest = hashlib.sha256(owner.encode())
    for file in sorted(files, key=lambda item: item.path):
        digest.update(f"\0{file.path}\0{file.mode:o}\0{hashlib.sha256(file.content).hexdigest()}".encode())
    return digest.hexdigest()


def fingerprints(service: Mapping[str, Any], files: Iterable[File]) -> dict[str, str | None]:
    """Return {config_hash, reload_hash} of a config volume: of what makes another container, of what one takes over.

    None for what there is nothing of.
    """
    every, owner = list(files), service["image"]["user"]
    reloaded = [file for file in every if is_reloadable(service, file.path)]
    fixed = [file for file in every if not is_reloadable(service, file.path)]
    return {
        "config_hash": files_hash(fixed, owner) if fixed else None,
        "reload_hash": files_hash(reloaded, owner) if reloaded else None,
    }
