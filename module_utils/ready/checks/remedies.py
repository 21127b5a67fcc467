# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The next step for the error that a service answered with. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from ..common.known_errors import KnownError
from ..common.verdict import FAIL

#: What drivers and checks report -> the next step, with the service's name in it.
_REMEDIES = (
    KnownError(
        "password authentication failed|wrongpass|invalid username-password|unauthorized",
        "",
        "the password in {service} is not the inventory's: ./ready secrets rotate --service {service} sets new ones "
        "there; then give applications theirs, ./ready env --secrets --output FILE.",
    ),
    KnownError(
        "too many connections|too many clients|remaining connection slots|connections: found",
        "",
        "see who holds the connections of {service}, in pg_stat_activity; {service}_settings: {{max_connections: "
        "N}} and ./ready up allow more.",
    ),
    KnownError(
        "evicted keys|memory: found|oom command not allowed",
        "",
        "see what fills {service}, or set {service}_memory higher, then ./ready up.",
    ),
    KnownError(
        "theirs until a restart",
        "",
        "./ready restart --service {service} gives back what was deleted; {service}_memory and ./ready up allow more.",
    ),
    KnownError(
        "no space left on device|disk quota exceeded",
        "",
        "make room on the file system of Docker's data, where docker system df says what lies there; then ./ready "
        "check.",
    ),
    KnownError(
        "read-only file system|read only file system",
        "",
        "./ready up mounts the volumes of {service} as the inventory has them; if the host's own file system is "
        "read-only, the kernel's log (dmesg) says why.",
    ),
)


def remedies(service: str, checks: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return a line per kind of fault among the failed checks of a service; none where no kind is known.

    Args:
        service: its name.
        checks: check -> its outcome: `verdict` and `detail` are read.
    """
    details = [its["detail"] for its in checks.values() if its["verdict"] == FAIL]
    known = [error for error in _REMEDIES if any(error.matches(detail) for detail in details)]
    return [f"Next: {error.next.format(service=service)}" for error in known]
