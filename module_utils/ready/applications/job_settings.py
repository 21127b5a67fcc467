# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The settings of services that a job gets: what `./ready env --for container --secrets` says. Runs where Docker is."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from ..connections.settings import CERTIFICATES, settings
from ..docker.jobs import Files
from ..docker.readback import read_authorities, read_secrets
from ..stack.external import unpack_secrets

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass(frozen=True)
class JobSettings:
    """The settings of all services, for one job.

    Attributes:
        values: names as `./ready env` has them -> values, with secrets.
        files: certificates by their path below `CERTIFICATES`, where `values` names them.
        secrets: every password and key that is in `values`, or of another account of the stack.
        out_of_reach: service elsewhere -> why no container reaches it; `values` says nothing of it.
    """

    values: dict[str, str]
    files: Files
    secrets: frozenset[str]
    out_of_reach: dict[str, str] = field(default_factory=dict)


def job_settings(client: DockerClient, stack: Mapping[str, Any], external: str = "") -> JobSettings:
    """Return the settings of all services, for an application in the stack's network.

    Passwords and authorities are read from the containers, which may be stopped: of one that is gone
    there is the address alone.

    Args:
        client: a connected client.
        stack: the resolved stack.
        external: keys and certificates of services elsewhere, as `external.pack_secrets` made it.

    Raises NetworkSettingsError when a given certificate is not for a container's name.
    """
    elsewhere = unpack_secrets(external)
    passwords = read_secrets(client, stack) | {name: dict(its.passwords) for name, its in elsewhere.items()}
    authorities = read_authorities(client, stack) | {name: its.ca for name, its in elsewhere.items() if its.ca}
    out_of_reach = {name: why for name, its in stack.get("external", {}).items() if (why := beyond(its))}
    near = {
        **stack,
        "authorities": {name: f"{name}.crt" for name in authorities},
        "external": {name: its for name, its in stack.get("external", {}).items() if name not in out_of_reach},
    }
    return JobSettings(
        values=settings(near, passwords, "container"),
        files={f"{name}.crt": (0o444, pem.encode()) for name, pem in authorities.items()},
        secrets=frozenset(secret for its in passwords.values() for secret in its.values()),
        out_of_reach=out_of_reach,
    )


def beyond(service: Mapping[str, Any]) -> str:
    """Return why no container reaches a service elsewhere, "" when one may: the host's loopback is the host's alone."""
    host = urlsplit(service["base_url"]).hostname or ""
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = host == "localhost"
    if not near:
        return ""
    return (
        f"{service['name']}: found its endpoint at {host}, expected an address that containers reach. Next: let the "
        f"server listen on another address of the host, and name that one in {service['name']}_endpoint: base_url"
    )


def with_database(values: Mapping[str, str], name: str) -> dict[str, str]:
    """Return settings whose application's database is another one, and that name no further database."""
    found = {key: value for key, value in values.items() if not key.startswith("DATABASE_URL_")}
    if "DATABASE_URL" in found:
        url = urlsplit(found["DATABASE_URL"])
        found["DATABASE_URL"] = urlunsplit(url._replace(path=f"/{quote(name, safe='')}"))
        found["PGDATABASE"] = name
    return found


#: Where the files are unpacked, for `Job.archives`: beside what else lies in / of the image.
BELOW = f"{str(CERTIFICATES)[1:]}/"
