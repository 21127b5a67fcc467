# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files on shares: a remote session over NTLM passes no password on, so a share is a second hop with its own logon."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: \\server\share\file, also with slashes; \\?\ and \\.\ name what is on the PC itself.
_SHARE = re.compile(r"[\\/]{2}[^\\/?.][^\\/]*[\\/][^\\/]")


def is_share(path: str) -> bool:
    """Return whether a path is on a share."""
    return bool(_SHARE.match(path))


def fault(failed: Mapping[str, Any], what: str, path: str, host: str, *, role: str, user: str, given: bool) -> str:
    """Return the message about a file that could not be copied from a share.

    Args:
        failed: what win_copy returned.
        what: what the file is.
        path: the file.
        host: the Windows host.
        role: whose variables name the account.
        user: the account that the share was asked with.
        given: whether a password went with it.
    """
    answer = " ".join(str(failed.get("msg") or "no answer").split()).rstrip(".")
    asked = f"as {user}" if given else "without a password"
    return (
        f"{host}: {what}: found that {path} could not be read {asked} ({answer}); expected a file of its server:"
        " a share is a second hop, and a session over NTLM passes its password to no other server. Next: set"
        f" {role}_share_user and {role}_share_password to an account that may read the share, or name a web server."
    )
