# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say which values of an inventory can't be had: a template names what is undefined, or no vault password opens it.

Runs on the controller. Nothing of a value stands in a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

VAULT_FILE_STEP = "set ANSIBLE_VAULT_PASSWORD_FILE to the file that has the vault password"
VAULT_STEP = f"{VAULT_FILE_STEP}, or give ansible-playbook --ask-vault-pass"
VALUE_STEP = "give it a value in group_vars or host_vars; a password belongs in a file that ansible-vault encrypts"
_NONE_GIVEN, _OTHER_GIVEN = "encrypted and no vault password", "encrypted with another vault password"
#: What Ansible or Ready's last inventory plugin says of what no vault password opens, and when none was given.
_LOCKED = re.compile(rf"undecryptable|[Dd]ecryption failed|{_OTHER_GIVEN}")
_NO_PASSWORD = re.compile(rf"no vault secrets found|{_NONE_GIVEN}")
_UNDEFINED = re.compile(r"'(\w+)' is undefined")
_NO_ATTRIBUTE = re.compile(r"has no attribute '(\w+)'")
_NAME = re.compile(r"\b[A-Za-z_]\w*")
#: What Ansible itself reads before each task: of the connection, of becoming another user, of the shell and of Python.
#: Not any `ansible_…`: ansible_managed may name what templates alone have, and other teams name their variables so too.
_CONNECTION = re.compile(
    r"ansible_(async_dir|become|connection|docker|host|module_compression|network_os|paramiko|password|pipelining|port"
    r"|private_key_file|psrp|python_interpreter|remote_te?mp|scp|sftp|shell|ssh|timeout|user|winrm|wsl)(_|$)"
)
#: What asks a program or a server for its value: a second call may cost a second, a prompt or a token.
_LOOKUPS = frozenset({"lookup", "query", "q"})
#: Hosts that a message names.
_SHOWN = 5


def _template(value: object) -> str:
    return value if isinstance(value, str) and ("{{" in value or "{%" in value) else ""


def connection_values(variables: Mapping[str, Any], encrypted: Callable[[object], bool]) -> Iterator[str]:
    """Yield the names of a host's connection variables that may not be available.

    Those that end in a lookup are left out, whichever variables stand between.

    Args:
        variables: of the host, as the inventory has them.
        encrypted: tells a value of `!vault`.
    """
    for name, value in variables.items():
        if _CONNECTION.match(name) and (encrypted(value) or (_template(value) and not _looks_up(name, variables))):
            yield name


def _looks_up(name: str, variables: Mapping[str, Any]) -> bool:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        if (name := waiting.pop()) in seen:
            continue
        seen.add(name)
        named = set(_NAME.findall(_template(variables.get(name))))
        if named & _LOOKUPS:
            return True
        waiting += named & variables.keys()
    return False


def locked(error: str) -> str:
    """Return how a value or a file is encrypted, "" when an error of Ansible says something else."""
    if _NO_PASSWORD.search(error):
        return _NONE_GIVEN
    return _OTHER_GIVEN if _LOCKED.search(error) else ""


def fault(variable: str, error: str) -> str:
    """Return what was found and expected, and the next step; "" when an error is of another kind.

    Args:
        variable: the one that was asked for.
        error: Ansible's message, with those of its causes.
    """
    if how := locked(error):
        return f"found {variable} {how}; expected the one that opens it. Next: {VAULT_STEP}"
    if name := _UNDEFINED.search(error):
        return f"found no value for {name[1]}, which {variable} names; expected one. Next: {VALUE_STEP}"
    if name := _NO_ATTRIBUTE.search(error):
        return f"found nothing called {name[1]}, which {variable} names; expected a value. Next: correct {variable}"
    return ""


def messages(faults: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a line per fault, with the hosts that have it.

    Args:
        faults: what `fault` returned -> hosts.
    """
    lines = []
    for text, its in faults.items():
        hosts = list(dict.fromkeys(its))
        more = len(hosts) - _SHOWN
        named = ", ".join(hosts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        found, _, step = text.partition(" Next: ")
        lines.append(f"The inventory: {named}: {found} Nothing was changed. Next: {step}")
    return lines


def encrypted_files(error: str, paths: Iterable[str]) -> str:
    """Return the message about files that no vault password opens; "" when an error of Ansible says something else.

    Args:
        error: Ansible's message.
        paths: the encrypted files of the inventory that could not be opened.
    """
    how, named = locked(error), ", ".join(paths)
    return how and (
        f"The inventory: found {named or 'a file'} {how}; expected the one that opens it. Nothing was changed. "
        f"Next: {VAULT_STEP}"
    )
