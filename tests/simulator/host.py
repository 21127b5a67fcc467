"""What the wire asks of a simulated Windows host: the seam between the protocol and the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tests.simulator.files import FileStore


@dataclass(frozen=True)
class ModuleCall:
    """A module as Ansible sends it."""

    name: str  # last part of Script, such as win_optional_feature
    args: Mapping[str, Any]  # without _ansible_*
    check: bool
    diff: bool
    become_user: str | None  # of a runas become
    environment: Mapping[str, str]
    become: Mapping[str, str] = field(default_factory=dict)  # parameters of become_wrapper.ps1, with the password


@dataclass(frozen=True)
class ScriptCall:
    """A script of scripts/windows/, by the id in its first line; win_powershell's too."""

    id: str
    parameters: Mapping[str, Any]
    input: Iterable[str]  # pipeline input, as it comes


class Host(Protocol):
    """One simulated Windows host: what the wire asks."""

    name: str
    accounts: Mapping[str, str]  # user -> password that may log on
    files: FileStore  # path -> content: put_file, win_copy and slurp are the wire's

    def module(self, call: ModuleCall) -> dict[str, Any]:
        """Return a module's result."""
        ...

    def script(self, call: ScriptCall) -> Iterator[str]:
        """Yield a script's output lines."""
        ...

    def raw(self, text: str) -> tuple[str, int]:
        """Return stdout and the exit code of raw's and win_reboot's own scripts."""
        ...

    def reachable(self) -> bool:
        """Say whether it answers; False while it reboots: the wire drops connections."""
        ...
