# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What restic says when it fails: no repository, one that can't be reached, one that refuses, and what to do. Pure.

It asks "Is there a repository at the following location?" whatever kept it from reading the repository's config, so
those words say nothing. From 0.17 on its exit code tells a missing repository; before, only the backend's own words do.
"""

from __future__ import annotations

import re

from ..said import shortened
from .manifest import BackupError

#: Exit codes since restic 0.17; older ones end with 1 for all of them.
_ABSENT, _LOCKED, _WRONG_KEY = 10, 11, 12


class NoRepositoryError(BackupError):
    """There is no repository where one was looked for, and the place itself answered."""


_NONE = (
    "there is no repository. Next: is backup_repository right, and its disk mounted? ./ready backup makes a new one "
    "only where none ever was"
)
_LOCK = (
    "another run holds the repository. Next: wait for it; a dead run's lock goes by itself after 30 minutes, or at "
    "once by `restic unlock`"
)
_KEY = "the repository was made with another key. Next: put the right one back: ./ready backup key --key-file FILE"
_CODES = {_ABSENT: _NONE, _LOCKED: _LOCK, _WRONG_KEY: _KEY}
#: What it says -> what to do; the first that fits.
_MEANINGS = (
    (r"wrong password or no key found", _KEY),
    (r"is already locked|unable to create lock in backend: repository is", _LOCK),
    (r"no space left", "the disk is full. Next: make room on it, or give it more"),
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|Offending \w+ key|Host key verification",
        "the repository can't be reached: its server's host key is not the known one. Next: if the server was changed, "
        "put its new key into known_hosts",
    ),
    (
        r"connection (refused|reset|timed out)|no such host|could not resolve|name resolution|i/o timeout"
        r"|deadline exceeded|no route to host|network is (unreachable|down)|x509:|tls: |TLS handshake"
        r"|\(5\d\d\)|: 5\d\d\b|exit status 255",
        "the repository can't be reached, so nothing is known of it. Next: check backup_repository and the network "
        "path to it",
    ),
    (
        r"\(40[13]\)|: 40[13]\b|access ?denied|permission denied|access key id you provided|signature"
        r"|no credentials found|request time and the server|too many authentication failures",
        "the repository refuses this host, so nothing is known of what is in it. Next: check its credentials "
        "(backup_environment; for sftp root's key), and what they may do there",
    ),
    (
        r"unable to start the sftp session",  # restic may pass on the first words of ssh alone
        "the repository can't be reached, so nothing is known of it. Next: log in to its server by ssh, as the backups "
        "do: ssh says why",
    ),
    (
        r"config: no such file or directory|<config/?> does not exist|config file: .*file does not exist"
        r"|specified (key|bucket|container|blob) does not exist|NoSuchBucket|object doesn't exist",
        _NONE,
    ),
    (
        r"unable to open config|Is there a repository at",
        "it is unknown whether there is a repository. Next: check backup_repository, its credentials and the network "
        "path to it",
    ),
)


def masked(location: str) -> str:
    """Return an address without the password that it may hold."""
    return re.sub(r"://([^/@:\s]*):[^/@\s]+@", r"://\1:***@", location)


def _meaning(text: str, code: int) -> str:
    if code in _CODES:
        return _CODES[code]
    return next((meaning for pattern, meaning in _MEANINGS if re.search(pattern, text, re.IGNORECASE)), "")


def explain(text: str, code: int = 1) -> str:
    """Return restic's error in one line, with the next step where it is known.

    Args:
        text: what it wrote.
        code: its exit code.
    """
    words = shortened(masked(text))  # in this order: half an address would show its password
    meaning = _meaning(text, code)
    return f"{meaning} (restic: {words})" if meaning else f"restic: {words}"


def error(verb: str, text: str, code: int) -> BackupError:
    """Return what a failed call of restic raises."""
    kind = NoRepositoryError if _meaning(text, code) is _NONE else BackupError
    return kind(f"restic {verb}: {explain(text, code)}")
