# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Explain restic's errors: no repository, unreachable, refused, and what to do. Pure.

It asks "Is there a repository at the following location?" whatever kept it from reading the repository's config, so
those words say nothing. From 0.17 on its exit code tells a missing repository; before, only the backend's own words do.
"""

from __future__ import annotations

import re

from ...common.known_errors import KnownError, first_match
from ...common.output_excerpt import excerpt
from ..manifest import BackupError

#: Exit codes since restic 0.17; older ones end with 1 for all of them.
_ABSENT, _LOCKED, _WRONG_KEY = 10, 11, 12


class NoRepositoryError(BackupError):
    """There is no repository where one was looked for, and the place itself answered."""


_NONE = KnownError(
    "config: no such file or directory|<config/?> does not exist|config file: .*file does not exist|specified (key"
    "|bucket|container|blob) does not exist|NoSuchBucket|object doesn't exist",
    "there is no repository",
    "is backup_repository right, and its disk mounted? ./ready backup makes a new one only where none ever was",
)
_LOCK = KnownError(
    "is already locked|unable to create lock in backend: repository is",
    "another run holds the repository",
    "wait for it; a dead run's lock goes by itself after 30 minutes, or at once by `restic unlock`",
)
_KEY = KnownError(
    "wrong password or no key found",
    "the repository was made with another key",
    "put the right one back: ./ready backup key --key-file FILE",
)
_BY_EXIT_CODE = {_ABSENT: _NONE, _LOCKED: _LOCK, _WRONG_KEY: _KEY}
#: The first one that matches counts.
_KNOWN = (
    _KEY,
    _LOCK,
    KnownError(
        "no space left",
        "the disk is full",
        "make room on it, or give it more",
    ),
    KnownError(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|Offending \w+ key|Host key verification",
        "the repository can't be reached: its server's host key is not the known one",
        "if the server was changed, put its new key into known_hosts",
    ),
    KnownError(
        "connection (refused|reset|timed out)|no such host|could not resolve|name resolution|i/o timeout"
        r"|deadline exceeded|no route to host|network is (unreachable|down)|x509:|tls: |TLS handshake|\(5\d\d\)"
        r"|: 5\d\d\b|exit status 255",
        "the repository can't be reached, so nothing is known of it",
        "check backup_repository and the network path to it",
    ),
    KnownError(
        r"\(40[13]\)|: 40[13]\b|access ?denied|permission denied|access key id you provided|signature"
        "|no credentials found|request time and the server|too many authentication failures",
        "the repository refuses this host, so nothing is known of what is in it",
        "check its credentials (backup_environment; for sftp root's key), and what they may do there",
    ),
    KnownError(
        "unable to start the sftp session",  # restic may pass on the first words of ssh alone
        "the repository can't be reached, so nothing is known of it",
        "log in to its server by ssh, as the backups do: ssh says why",
    ),
    _NONE,
    KnownError(
        "unable to open config|Is there a repository at",
        "it is unknown whether there is a repository",
        "check backup_repository, its credentials and the network path to it",
    ),
)


def mask_password(location: str) -> str:
    """Return an address without the password that it may hold."""
    return re.sub(r"://([^/@:\s]*):[^/@\s]+@", r"://\1:***@", location)


def _known(text: str, code: int) -> KnownError | None:
    return _BY_EXIT_CODE.get(code) or first_match(_KNOWN, text)


def explain(text: str, code: int = 1) -> str:
    """Return restic's error in one line, with the next step where it is known.

    Args:
        text: what it wrote.
        code: its exit code.
    """
    words = excerpt(mask_password(text))  # in this order: half an address would show its password
    known = _known(text, code)
    return f"{known.cause}. Next: {known.next} (restic: {words})" if known else f"restic: {words}"


def restic_error(verb: str, text: str, code: int) -> BackupError:
    """Return what a failed call of restic raises."""
    kind = NoRepositoryError if _known(text, code) is _NONE else BackupError
    return kind(f"restic {verb}: {explain(text, code)}")
