# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of databases and logins: those that the inventory asks for must be in a set. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Service -> the kind of names in its part of a manifest that has its logins.
LOGINS = {"postgresql": "roles", "neo4j": "users"}


def _missing(name: str, service: Mapping[str, Any], part: Mapping[str, Any]) -> Iterator[str]:
    names = part["content"].get("names", {})
    databases, logins = names.get("databases"), names.get(LOGINS.get(name, ""))
    if databases is not None and service.get("database") and service["database"] not in databases:
        yield f"the database {service['database']} ({name}_database); the set has {', '.join(databases)}"
    if logins is not None:
        wanted = {account: its["login"] for account, its in service["accounts"].items() if its["login"] not in logins}
        for account, login in wanted.items():
            yield f"the login {login} of the account {account} ({name}_accounts); the set has {', '.join(logins)}"


def differing(manifest: Mapping[str, Any], stack: Mapping[str, Any], only: Sequence[str]) -> list[str]:
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
