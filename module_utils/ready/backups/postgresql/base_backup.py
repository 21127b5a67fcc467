# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Take a base backup of a running PostgreSQL, from which WAL can be replayed."""

from __future__ import annotations

import json
import re
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..container_files import exec_to_file
from ..manifest import BackupError
from .wal import base_tag

if TYPE_CHECKING:
    from docker.models.containers import Container

#: Its file in a set.
BASE = "base.tar"
_START = re.compile(r"START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)")


def read_base(path: Path) -> dict[str, Any]:
    """Return {segment, files} of a base backup: its first WAL segment, and how many files it has.

    Every file must be there with the size that PostgreSQL's own manifest says: a cut archive has lost some. Checksums
    are for pg_verifybackup, which needs the files unpacked. Raises BackupError.
    """
    sizes: dict[str, int] = {}
    texts: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if member.isfile():
                    sizes[name] = member.size
                if name in {"backup_manifest", "backup_label"} and (stream := archive.extractfile(member)):
                    texts[name] = stream.read()
        listed = {item["Path"]: item["Size"] for item in json.loads(texts["backup_manifest"])["Files"]}
        start = _START.search(texts["backup_label"].decode())
    except (tarfile.TarError, KeyError, ValueError, EOFError) as error:
        raise BackupError(f"postgresql: {path.name} is no base backup ({type(error).__name__}: {error})") from error
    wrong = sorted(name for name, size in listed.items() if sizes.get(name) != size)
    if wrong or start is None:
        raise BackupError(
            f"postgresql: {path.name}: found {', '.join(wrong[:5]) or 'no start'} missing or of another size, expected "
            f"all {len(listed)} files of its manifest"
        )
    return {"segment": start[1], "files": len(listed)}


def take_base(receiver: Container, system: str, login: str, with_tls: bool, path: Path) -> dict[str, Any]:
    """Take a base backup by the receiver, which has the account for it; return what the manifest's part says of it.

    Args:
        receiver: the running sidecar.
        system: the cluster's system identifier.
        login: the replication account's.
        with_tls: whether PostgreSQL speaks TLS.
        path: where the tar goes.

    Raises BackupError.
    """
    server = f"host=postgresql user='{login}' passfile=/run/ready/secrets/backup.pgpass"
    server += " sslmode=verify-ca sslrootcert=/run/ready/tls/ca.crt" if with_tls else ""
    started = time.time()
    # With the WAL of its own time in it: it is a whole database also where the archive is lost.
    options = ["--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--no-password", "--label=ready"]
    exec_to_file(receiver, ["pg_basebackup", "-d", server, "-D", "-", *options], path)
    finished = time.time()
    base = {"system": system, "started": int(started), "finished": int(finished) + 1, **read_base(path)}
    return {**base, "tag": base_tag(base)}
