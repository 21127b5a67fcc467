# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables of a role for Windows, checked before the role itself can do it. On the controller only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail

from ..common.plain import plain


def role_arguments(caller: Any, spec: Mapping[str, Any], role: str, host: str) -> dict[str, Any]:
    """Return an action's checked arguments, as plain data.

    Args:
        caller: the ActionBase that runs now.
        spec: its argument spec.
        role: the role whose variables it is given.
        host: the inventory's name of the host.

    Raises AnsibleActionFail that names both.
    """
    try:
        _, args = caller.validate_argument_spec(spec)
    except AnsibleActionFail as error:
        raise AnsibleActionFail(
            f"{host}: variables of role {role}: found {error}; expected values as docs/roles/{role}.md describes. "
            f"Next: correct {role}_… in the inventory"
        ) from None  # Ansible would add the cause again
    checked: dict[str, Any] = plain(args)
    return checked
