# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Redis holds: figures that an upgrade must not change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...docker.state import EngineError
from ...upgrades.store_queries import run

if TYPE_CHECKING:
    from docker.models.containers import Container

_REDIS = """
{ printf 'AUTH %s ' "$1"; cat /run/ready/secrets/monitor; printf '\\nINFO keyspace\\n'; } | redis-cli $2
"""


def redis_keys(text: str) -> dict[str, int]:
    """Return database -> keys that do not expire, from INFO keyspace; those that do may be gone at any moment."""
    if "# Keyspace" not in text:
        raise EngineError(f"redis answered {text.strip()[-200:]!r}, expected INFO keyspace")
    return {
        f"{name} keys": int(keys) - int(expires)
        for name, keys, expires in re.findall(r"(?m)^(db\d+):keys=(\d+),expires=(\d+)", text)
    }


def redis_fingerprint(container: Container, service: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many keys that do not expire each database has."""
    options = "--tls --cacert /run/ready/tls/ca.crt" if service.get("tls", {}).get("enabled") else ""
    return dict(redis_keys(run(container, ["sh", "-c", _REDIS, "-", service["accounts"]["monitor"]["login"], options])))
