# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide which certificates a stack's services serve, and renew Ready's own. Controller only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..stack.resolved import answering_container
from .certificates import (
    CertificateError,
    Served,
    authority_due,
    given_fault,
    leaf_due,
    make_authority,
    make_leaf,
    names_of,
    read_given,
)
from .vault import AUTHORITY, SecretStore


def speaks_tls(service: Mapping[str, Any]) -> bool:
    """Return whether a resolved service speaks TLS."""
    return bool(service.get("tls", {}).get("enabled"))


def is_given(service: Mapping[str, Any]) -> bool:
    """Return whether the inventory gives the service's certificate."""
    return bool(service["tls"]["certificate"])


def served_certificate(store: SecretStore, stack: str, service: Mapping[str, Any]) -> Served | None:
    """Return what a service serves, None when its own certificate is not made yet or given files can't be read."""
    if is_given(service):
        try:
            return read_given(service["tls"])
        except CertificateError:
            return None
    leaf, authority = store.pair(stack, service["name"]), store.pair(stack, AUTHORITY)
    return Served(leaf.certificate, leaf.key, authority.certificate) if leaf and authority else None


def certificate_states(
    store: SecretStore, stack: Mapping[str, Any], hosts: Sequence[str], now: datetime
) -> dict[str, dict[str, str]]:
    """Return service -> {origin: given | own, due, fault} for every service that speaks TLS.

    `due` says why Ready's own certificate is to be made (by `up`), `fault` what is wrong with a given one.
    """
    found = {}
    for name, service in stack["services"].items():
        if not speaks_tls(service):
            continue
        if is_given(service):
            found[name] = {"origin": "given", "due": "", "fault": given_fault(service["tls"], now)}
        else:
            leaf, authority = store.pair(stack["name"], name), store.pair(stack["name"], AUTHORITY)
            due = leaf_due(leaf, authority, names_of(service, hosts), now)
            found[name] = {"origin": "own", "due": due, "fault": ""}
    return found


def renew_due_certificates(
    store: SecretStore, stack: Mapping[str, Any], hosts: Sequence[str], now: datetime
) -> list[str]:
    """Make the certificates that are due, with a new authority if that is due; save, and return the services."""
    due = [name for name, its in certificate_states(store, stack, hosts, now).items() if its["due"]]
    if not due:
        return []
    authority = store.pair(stack["name"], AUTHORITY)
    if authority is None or authority_due(authority, now):
        authority = make_authority(stack["name"], now)
        store.keep_pair(stack["name"], AUTHORITY, authority)
    for name in due:
        service = stack["services"][name]
        store.keep_pair(
            stack["name"], name, make_leaf(authority, answering_container(service), names_of(service, hosts), now)
        )
    store.save()
    return due
