# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Install and describe what Ready keeps on a host: the probes' environment, each stack. Standard library only."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..common.files import write_bytes
from ..stack import ownership
from . import file_lock

#: Where a host keeps what it knows of its stacks.
STACKS = Path("/opt/ready/stacks")
#: In the environment: says what it was made from, and is written last.
MARK = "installed.txt"
LOCK = "requirements.txt"
#: Seconds for making the environment: downloads included.
TIMEOUT = 1800
#: What of a resolved stack its description has: nothing that a run alone knows, such as when certificates are due.
_KEYS = ("name", "network", "services", "sidecars")
#: Of a service, the fingerprints of its files change with what is due, too.
_OF_A_RUN = ("config_hash", "reload_hash")


class InstallError(Exception):
    """The environment could not be made; the message has the installer's last words."""


def environment_mark(lock: str, package: str) -> str:
    """Return what an environment made from these says.

    Args:
        lock: text of requirements-probes.txt.
        package: fingerprint of the package `ready`.
    """
    return f"lock {hashlib.sha256(lock.encode()).hexdigest()}\npackage {package}\n"


def _known(stack: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: stack[key] for key in _KEYS if key in stack}
    for part in ("services", "sidecars"):
        found[part] = {
            name: {key: value for key, value in service.items() if key not in _OF_A_RUN}
            for name, service in found.get(part, {}).items()
        }
    return found


def _as_text(found: Mapping[str, Any]) -> str:
    return json.dumps(found, indent=2, sort_keys=True) + "\n"


def stack_document(stack: Mapping[str, Any]) -> str:
    """Return what a stack's file holds, as JSON: what probes, backups and timers know of it; no password is in it."""
    return _as_text(_known(stack))


def stack_description(stack: Mapping[str, Any]) -> str:
    """Return the document with whose the stack is, which is no part of any comparison but for the id."""
    owner = ownership.owner_record(stack)
    return _as_text({**_known(stack), "owner": owner} if owner else _known(stack))


def _parted(text: str) -> tuple[str, dict[str, str]]:
    """Return a description without its owner, and the owner; a damaged one is nobody's."""
    try:
        found = json.loads(text)
        owner = {str(key): str(value) for key, value in found.pop("owner", {}).items()}
    except (ValueError, AttributeError, TypeError):
        return text, {}
    return _as_text(found), owner


def stack_path(stack: str) -> Path:
    """Return where a stack's file is, wherever the environment is: whose the stack is must not depend on that."""
    return STACKS / f"{stack}.json"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def read_installed(environment: Path, stack: str) -> dict[str, Any]:
    """Return {environment: its mark, stack: the hash of the stack's file, owner}; empty for what is not there."""
    document, owner = _parted(_text(stack_path(stack)))
    return {
        "environment": _text(environment / MARK),
        "stack": hashlib.sha256(document.encode()).hexdigest() if document else "",
        "owner": owner,
    }


def _same(there: str, wanted: str) -> bool:
    """Return whether two descriptions are of the same stack and owner, wherever the owner was seen."""
    (one, owner), (other, own) = _parted(there), _parted(wanted)
    return one == other and owner.get("id") == own.get("id")


def write_description(stack: str, document: str, *, dry_run: bool, adopt: bool = False) -> bool:
    """Make the stack's file hold this document, root's alone; return whether it did not. Raises OSError.

    One that names another owner stays as it is unless `adopt` says that its owner may change.
    """
    path = stack_path(stack)
    if not adopt and _parted(_text(path))[1].get("id", "") not in ("", _parted(document)[1].get("id", "")):
        return False
    if _same(_text(path), document) and path.stat().st_mode & 0o777 == 0o600:
        return False
    if not dry_run:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        write_bytes(path, document.encode("utf-8"), 0o600)
    return True


def environment_is_made(environment: Path, wanted: str) -> bool:
    """Return whether the environment is there, and was made from what this mark says."""
    return _text(environment / MARK) == wanted


def installation_is_complete(stack: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Return whether the host has the environment and the file of this stack as they should be.

    Args:
        stack: the resolved stack; `probes.mark` is what the environment should say. One whose owner has no id yet is
            not complete.
        state: what `stack_state` read.
    """
    document = hashlib.sha256(stack_document(stack).encode()).hexdigest()
    found = state["installed"]
    owner = stack.get("owner")
    owned = owner is None or (owner["id"] != "" and found["owner"].get("id") == owner["id"])
    return bool(found["environment"] == stack["probes"]["mark"] and found["stack"] == document and owned)


@contextmanager
def _alone(environment: Path) -> Iterator[None]:
    """Wait until no other run makes this environment; a run that ends, however, lets go."""
    with file_lock.locked(environment.parent / f".{environment.name}.lock"):
        yield


def _run(*command: str | Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603
            [str(word) for word in command], capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallError(f"{command[0]}: {error}") from error
    if done.returncode:
        words = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise InstallError(f"{command[0]} ended with {done.returncode}: {' '.join(words[-3:])}")


def _install_package(environment: Path, name: str, wheel: bytes) -> None:
    for old in environment.glob("ready-*.whl"):
        old.unlink()
    (environment / name).write_bytes(wheel)
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    _run(environment / "bin" / "python", *pip, "--force-reinstall", environment / name)


def install_environment(environment: Path, python: str, lock: str, name: str, wheel: bytes, package: str) -> bool:
    """Make the environment what it should be; return whether anything was to be done. Raises InstallError.

    It is made beside the old one, which it replaces when it is complete; a lock that has not changed is not installed
    again. Two runs at once do it one after the other, and the second one finds it done.

    Args:
        environment: its directory; all that is in it is replaced.
        python: the Python to make it with.
        lock: text of requirements-probes.txt.
        name: file name of the wheel.
        wheel: the package `ready`.
        package: its fingerprint.
    """
    os.umask(0o022)
    environment.parent.mkdir(parents=True, exist_ok=True)
    wanted = environment_mark(lock, package)
    with _alone(environment):
        found = _text(environment / MARK)
        if found == wanted:
            return False
        if found.splitlines()[:1] == wanted.splitlines()[:1]:
            (environment / MARK).unlink()
            _install_package(environment, name, wheel)
            (environment / MARK).write_text(wanted, encoding="utf-8")
            return True
        new, old = (environment.with_name(f".{environment.name}.{word}") for word in ("new", "old"))
        for leftover in (new, old):
            shutil.rmtree(leftover, ignore_errors=True)
        _run(python, "-m", "venv", new)
        (new / LOCK).write_text(lock, encoding="utf-8")
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(new / "bin" / "python", *pip, "--require-hashes", "--only-binary=:all:", "-r", new / LOCK)
        _install_package(new, name, wheel)
        (new / MARK).write_text(wanted, encoding="utf-8")
        if environment.exists():
            environment.rename(old)
        new.rename(environment)
        shutil.rmtree(old, ignore_errors=True)
    return True
