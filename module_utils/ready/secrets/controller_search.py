# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Search what Ready writes on the controller for secrets (the host: security/secret_search.py). Controller only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible import constants

from ..stack.external import secrets_entry
from .inventory_store import open_store
from .search import Search
from .secrets_file import REPOSITORY, SecretsError


def search_controller(
    stack: Mapping[str, Any], task_vars: dict[str, Any], template: Callable[[Any], Any]
) -> dict[str, Any]:
    """Return {looked, found} for evidence, reports, logs and temporary files, or {fault}.

    Args:
        stack: the resolved stack.
        task_vars: of the host.
        template: resolves a value of the inventory.
    """
    try:
        store = open_store(task_vars, template)
    except SecretsError as error:
        return {"fault": str(error)}
    its = stack["name"]
    passwords = {name: store.passwords(its, name) for name in [*stack["services"], REPOSITORY[0]]}
    passwords |= {name: store.passwords(its, secrets_entry(name)) for name in stack.get("external", {})}
    places = [Path(stack["evidence_dir"]) / stack["name"], Path(constants.DEFAULT_LOCAL_TMP).parent]
    places += [Path(constants.DEFAULT_LOG_PATH)] if constants.DEFAULT_LOG_PATH else []
    found, read = Search(stack, passwords, store.keys(its)).files(places)
    return {"looked": f"{read} files below {', '.join(map(str, places))}", "found": found}
