# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings that somebody has made in a running Redis: no set has them, so a backup says which they are. Pure.

Names alone are shown: a value may be a password.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def changed_users(live: Sequence[str], fresh: Sequence[str]) -> list[str]:
    """Return the names of users that were made, changed or removed, from two answers to ACL LIST.

    Each server lists the rules of a user's subcommands in its own order.
    """
    one, two = ({line.split()[1]: sorted(line.split()) for line in lines} for lines in (live, fresh))
    return sorted(name for name in {*one, *two} if one.get(name) != two.get(name))


def changed_settings(live: Mapping[str, str], fresh: Mapping[str, str], other: Collection[str]) -> list[str]:
    """Return the names of settings that differ between two answers to CONFIG GET.

    Args:
        live: those of the service.
        fresh: those of a server that was just started on the same configuration.
        other: the names of those that the second server was started with on purpose.
    """
    return sorted(name for name in live if name not in other and live[name] != fresh.get(name))


def changed_persistence(live: Mapping[str, str], file: str) -> list[str]:
    """Return which of Redis's save points and append-only file are not as it was started.

    Args:
        live: what CONFIG GET says of the service.
        file: its configuration file; what that does not name is left out.
    """
    configured = dict(line.lower().partition(" ")[::2] for line in file.splitlines())
    return [
        name
        for name in ("appendonly", "save")
        if name in configured and _plain(live.get(name, "")) != _plain(configured[name])
    ]


def _plain(value: str) -> str:
    """Return a setting without the quotes, spaces and case that say nothing."""
    return " ".join(value.replace('"', " ").replace("'", " ").split()).lower()


def unsaved_warnings(settings: Sequence[str], users: Sequence[str]) -> list[str]:
    """Return a line about settings and one about users that were changed; none without any."""
    lines = []
    if settings:
        lines.append(
            f"redis: CONFIG SET has changed {', '.join(settings)}: no set has that, and a restart or a restore loses "
            "it. Next: put it into redis_settings, then ./ready up"
        )
    if users:
        lines.append(
            f"redis: ACL SETUSER or DELUSER has changed {', '.join(users)}: no set has that, and a restart or a "
            "restore loses it. Next: keep the commands to run them again; the inventory has its own logins alone "
            "(redis_accounts)"
        )
    return lines
