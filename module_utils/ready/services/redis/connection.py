# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Redis for applications: a URL and single variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

from ...common.addresses import host_port
from ...connections.base import Connection, ServiceSettings, ask_once, certificates, port_number, url_of, user_part
from ...connections.endpoints import public_address

if TYPE_CHECKING:
    import redis


class RedisConnection(Connection):
    """`connect` gives a client that decodes answers and retries."""

    title, port = "Redis", "redis"
    variables = ("REDIS_",)
    named_by = ("REDIS_URL", "REDIS_HOST")

    def settings(self, service: Mapping[str, Any], passwords: Mapping[str, str], ca: str | None) -> dict[str, str]:
        """Return the address, the login, and a URL with both."""
        host, port = public_address(service, "redis")
        login, secret = service["accounts"]["app"]["login"], passwords.get("app")
        values = {"REDIS_HOST": host, "REDIS_PORT": str(port), "REDIS_USERNAME": login}
        scheme, options = ("rediss", f"?ssl_ca_certs={quote(ca)}") if ca else ("redis", "")
        values |= {"REDIS_URL": f"{scheme}://{user_part(login, secret)}{host_port(host, port)}/0{options}"}
        values |= {"REDIS_CA_FILE": ca} if ca else {}
        return values | ({"REDIS_PASSWORD": secret} if secret else {})

    def read(self, values: Mapping[str, str]) -> ServiceSettings:
        """Take the URL before the single variables."""
        found, url = ServiceSettings(), url_of(values, "REDIS_URL", {"redis", "rediss"})
        if url:
            found.port("redis", str(url.hostname), url.port or 6379)
            found.user(url.username or values.get("REDIS_USERNAME"), url.password or values.get("REDIS_PASSWORD"))
            found.tls = url.scheme == "rediss"
            path = parse_qs(url.query).get("ssl_ca_certs", [values.get("REDIS_CA_FILE", "")])[-1]
            found.authority = certificates("ssl_ca_certs", path) if path else ""
        else:
            found.port("redis", values["REDIS_HOST"], port_number("REDIS_PORT", values.get("REDIS_PORT", "6379")))
            found.login, found.password = values.get("REDIS_USERNAME", ""), values.get("REDIS_PASSWORD", "")
        return found

    def connect(self, probe: Any, **other: Any) -> redis.Redis:
        """`other` goes to `redis.Redis`, such as `socket_timeout`."""
        from redis.backoff import ExponentialWithJitterBackoff
        from redis.retry import Retry

        ask_once(probe)  # without retries, so that a service which hangs is named in time
        options = {"retry": Retry(ExponentialWithJitterBackoff(base=1, cap=10), 3)} | other
        client: redis.Redis = probe.connect("app", **options)
        return client
