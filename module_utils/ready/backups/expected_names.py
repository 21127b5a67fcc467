# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide whether a set holds the databases and logins that the inventory names. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..stack.accounts import ACCOUNTS

#: What a part of a manifest calls the names of its logins.
LOGINS = ("roles", "users")


def _missing(name: str, service: Mapping[str, Any], part: Mapping[str, Any]) -> Iterator[str]:
    names = part["content"].get("names", {})
    databases, logins = names.get("databases"), next((names[kind] for kind in LOGINS if kind in names), None)
    if databases is not None and service.get("database") and service["database"] not in databases:
        yield f"the database {service['database']} ({name}_database); the set has {', '.join(databases)}"
    if logins is not None:
        expected = {
            account: service["accounts"][account]["login"] for account in ACCOUNTS if account in service["accounts"]
        }
        for account, login in expected.items():
            if login in logins:
                continue
            yield f"the login {login} of the account {account} ({name}_accounts); the set has {', '.join(logins)}"


def missing_names(manifest: Mapping[str, Any], stack: Mapping[str, Any], only: Sequence[str]) -> list[str]:
    """Return a message per service with names that a set does not hold: restored, it would not be what was saved.

    Args:
        manifest: the set's.
        stack: the resolved stack that is to take it.
        only: the services to load.
    """
    messages = []
    for name in only:
        missing = list(_missing(name, stack["services"][name], manifest["parts"].get(name, {"content": {}})))
        if missing:
            messages.append(
                f"{name}: set {manifest['id']} does not hold what this inventory asks for: {'; '.join(missing)}. "
                "Nothing was changed. Next: put the set's names into the inventory, ./ready up, then again"
            )
    return messages
