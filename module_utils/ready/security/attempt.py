# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An attempt: one thing that an attacker tries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: What is expected of an attempt that names nothing else.
EXPECTED = "refused"


class RefusedError(Exception):
    """The attacker got nowhere; the message is the service's answer."""


@dataclass(frozen=True)
class Attempt:
    """One thing that is tried.

    Attributes:
        name: the id of the check.
        title: what must be true, in words.
        how: the connection and command, so that anybody can repeat it.
        run: does it. Returns what the attacker got, in words and without any data; raises what the driver raises.
        expected: what should come of it.
    """

    name: str
    title: str
    how: str
    run: Callable[[], str]
    expected: str = EXPECTED
