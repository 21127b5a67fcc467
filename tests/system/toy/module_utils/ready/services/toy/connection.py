# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The toy for applications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...common.addresses import host_port
from ...connections.base import Connection, ServiceSettings, url_of
from ...connections.endpoints import public_address


class ToyConnection(Connection):
    """`connect` gives an HTTP client."""

    title, port = "Toy", "http"
    variables = ("TOY_",)
    named_by = ("TOY_URL",)

    def settings(self, service: Mapping[str, Any], passwords: Mapping[str, str], ca: str | None) -> dict[str, str]:
        """Return the address and the login."""
        values = {"TOY_URL": f"http://{host_port(*public_address(service, 'http'))}"}
        values |= {"TOY_USERNAME": service["accounts"]["app"]["login"]}
        return values | ({"TOY_PASSWORD": secret} if (secret := passwords.get("app")) else {})

    def read(self, values: Mapping[str, str]) -> ServiceSettings:
        """Take them back."""
        found, url = ServiceSettings(), url_of(values, "TOY_URL", {"http"})
        assert url
        found.port("http", str(url.hostname), url.port or 80)
        found.login, found.password = values.get("TOY_USERNAME", ""), values.get("TOY_PASSWORD", "")
        return found
