# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The next step for what a service said when it was asked. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .part import FAIL

#: What drivers and checks say, in lower case -> the next step; the first one that fits.
_REMEDIES = (
    (
        ("password authentication failed", "wrongpass", "invalid username-password", "unauthorized"),
        "the password in {service} is not the inventory's: ./ready secrets rotate --service {service} sets new ones "
        "there; then give applications theirs, ./ready env --secrets.",
    ),
    (
        ("too many connections", "too many clients", "remaining connection slots", "connections: found"),
        "see who holds the connections of {service}, in pg_stat_activity; {service}_settings: {{max_connections: N}} "
        "and ./ready up allow more.",
    ),
    (
        ("evicted keys", "memory: found", "oom command not allowed"),
        "see what fills {service}, or set {service}_memory higher, then ./ready up.",
    ),
    (
        ("theirs until a restart",),
        "./ready restart --service {service} gives back what was deleted; {service}_memory and ./ready up allow more.",
    ),
    (
        ("no space left on device", "disk quota exceeded"),
        "make room on the file system of Docker's data, where docker system df says what lies there; then "
        "./ready check.",
    ),
    (
        ("read-only file system", "read only file system"),
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
    details = [its["detail"].lower() for its in checks.values() if its["verdict"] == FAIL]
    return [f"Next: {step.format(service=service)}" for words, step in _REMEDIES if _any_has(details, words)]


def _any_has(details: Iterable[str], words: Iterable[str]) -> bool:
    return any(word in detail for detail in details for word in words)
