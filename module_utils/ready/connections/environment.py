# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read back what `./ready env` wrote, as services that probes and connector use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .base import SettingsError as SettingsError
from .registered import CONNECTIONS

#: Service -> variables of which one must be there for the service to be in the settings.
NAMED_BY = {name: its.named_by for name, its in CONNECTIONS.items() if its.named_by}


@dataclass
class ServicesInSettings:
    """Services as settings name them: each with the app account alone.

    Attributes:
        services: name -> ports, accounts, database, tls: the keys of a resolved service that probes read.
        passwords: name -> {"app": password}; without a password the service is missing.
        authorities: name -> certificates (PEM) that sign the service's own.
    """

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    passwords: dict[str, dict[str, str]] = field(default_factory=dict)
    authorities: dict[str, str] = field(default_factory=dict)


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file of KEY=value lines. Raises SettingsError."""
    from dotenv import dotenv_values  # comes with the drivers; the connector does without

    if not path.is_file():
        raise SettingsError(f"{path}: no such file. Next: ./ready env --secrets --output {path}")
    return {key: value for key, value in dotenv_values(path, interpolate=False).items() if value is not None}


def services_in_settings(values: Mapping[str, str]) -> ServicesInSettings:
    """Return the services that settings name, in the order of NAMED_BY. Raises SettingsError.

    Args:
        values: variable -> value, as `./ready env` writes them or a process has them in its environment; what belongs
            to no service is not looked at. A URL is taken before the single variables of the same service.
    """
    settings = ServicesInSettings()
    for wanted, variables in NAMED_BY.items():
        if not any(values.get(variable) for variable in variables):
            continue
        found = CONNECTIONS[wanted].read(values)
        name = found.name or wanted
        accounts = {"app": {"login": found.login}} if found.login else {}
        settings.services[name] = {"name": name, "ports": found.ports, "accounts": accounts, **found.other}
        settings.services[name]["tls"] = {"enabled": found.tls, "certificate": "", "names": []}
        if found.login and found.password:
            settings.passwords[name] = {"app": found.password}
        if found.authority:
            settings.authorities[name] = found.authority
    return settings
