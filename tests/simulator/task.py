"""A scheduled task, as far as the roles and a host know one."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Task:
    """A scheduled task of ours.

    `state` Ready means that it does nothing (Azure/AgentBaker#8970). `holding`: a wsl.exe of its own is there.
    """

    name: str
    user: str
    execute: str
    arguments: str
    time_limit: str
    password: str
    triggers: tuple[str, ...]
    state: str = field(default="Ready", compare=False)
    last_result: int | None = field(default=0x41303, compare=False)  # it never ran
    holding: bool = field(default=False, compare=False)
    since: float = field(default=0.0, compare=False)

    @property
    def session(self) -> int:
        """The session that it runs in: the desktop's when it begins with a logon, 0 with a stored password."""
        return 1 if "logon" in self.triggers else 0

    @property
    def script(self) -> str:
        """The script that it runs, "" when it runs a program."""
        return self.arguments.partition('-File "')[2].partition('"')[0]

    def named(self, word: str) -> str:
        """Return the value of one of its arguments, "" without it."""
        words = self.arguments.split()
        return words[words.index(word) + 1] if word in words else ""

    @property
    def distribution(self) -> str:
        """The distro that it holds."""
        return self.named("-Distribution") or self.named("-d")
