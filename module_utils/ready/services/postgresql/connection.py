# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL for applications: libpq's variables and a URL; further databases by a URL each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote

from ...common.addresses import host_port
from ...connections.base import Connection, ServiceSettings, certificates, port_number, url_of, user_part
from ...connections.endpoints import public_address

if TYPE_CHECKING:
    import psycopg

#: libpq's words for "encrypted"; below verify-ca no certificate is looked at, and verify-full is what is done here.
_TLS = {"require", "verify-ca", "verify-full"}


def _url(service: Mapping[str, Any], account: str, database: str, secret: str | None, ca: str | None) -> str:
    user = user_part(service["accounts"][account]["login"], secret)
    options = f"?sslmode=verify-full&sslrootcert={quote(ca)}" if ca else ""
    address = host_port(*public_address(service, "postgresql"))
    return f"postgresql://{user}{address}/{quote(database, safe='')}{options}"


class PostgreSQLConnection(Connection):
    """`connect` gives a connection in autocommit, without a limit on statements."""

    title, port = "PostgreSQL", "postgresql"
    variables = ("PG", "DATABASE_URL")
    named_by = ("DATABASE_URL", "PGHOST")

    def settings(self, service: Mapping[str, Any], passwords: Mapping[str, str], ca: str | None) -> dict[str, str]:
        """Return the application's database, and a URL per further database, as its owner."""
        host, port = public_address(service, "postgresql")
        database, secret = service["database"], passwords.get("app")
        values = {"PGHOST": host, "PGPORT": str(port), "PGDATABASE": database}
        values |= {"PGUSER": service["accounts"]["app"]["login"]}
        values |= {"DATABASE_URL": _url(service, "app", database, secret, ca)}
        values |= {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": ca} if ca else {}
        values |= {"PGPASSWORD": secret} if secret else {}
        for its in service.get("databases", []):
            if (name := its["name"]) != database:
                url = _url(service, its["owner"], name, passwords.get(its["owner"]), ca)
                values[f"DATABASE_URL_{name.upper()}"] = url
        return values

    def read(self, values: Mapping[str, str]) -> ServiceSettings:
        """Take the URL before the single variables."""
        found, url = ServiceSettings(), url_of(values, "DATABASE_URL", {"postgresql", "postgres"})
        if url:
            query = {key: item[-1] for key, item in parse_qs(url.query).items()}
            found.port("postgresql", str(url.hostname), url.port or 5432)
            found.user(url.username, url.password or values.get("PGPASSWORD"))
            database, mode, root = unquote(url.path.lstrip("/")), query.get("sslmode", ""), query.get("sslrootcert", "")
        else:
            found.port("postgresql", values["PGHOST"], port_number("PGPORT", values.get("PGPORT", "5432")))
            found.login, found.password = values.get("PGUSER", ""), values.get("PGPASSWORD", "")
            database, mode, root = values.get("PGDATABASE", ""), "", ""
        mode, root = mode or values.get("PGSSLMODE", ""), root or values.get("PGSSLROOTCERT", "")
        found.other, found.tls = {"database": database or found.login}, mode in _TLS
        found.authority = certificates("sslrootcert", root) if root and root != "system" else ""
        return found

    def connect(self, probe: Any, **other: Any) -> psycopg.Connection[Any]:
        """`other` goes to `psycopg.connect`."""
        options = {"options": "", "application_name": "ready-connector"} | other
        connection: psycopg.Connection[Any] = probe.connect("app", **options)
        return connection
