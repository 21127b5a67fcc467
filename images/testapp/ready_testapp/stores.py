# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the stores hold, by name and number, as the application's own account sees it.

The tests have the settings of that account and no others: what it can't see, they can't have made. Prints JSON:
service -> {own: {name: number or null}, outside: {name: number or null}}, or {fault: why}.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

Settings = Mapping[str, str]
Seen = dict[str, dict[str, Any]]
#: Seconds for a connection and an answer; keys of Redis whose names are compared, the characters of one.
WAIT, KEYS, KEY = 10, 20_000, 200
_OBJECTS = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
UNION ALL SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
"""


def postgresql(settings: Settings) -> Seen:
    """Return databases and roles; schemas, tables, views and sequences of every database that the account may enter."""
    import psycopg2

    url = settings["DATABASE_URL"]
    own = {
        urlsplit(value).path.lstrip("/")
        for name, value in settings.items()
        if value.startswith(("postgresql://", "postgres://")) and name.startswith("DATABASE_URL")
    }
    found: Seen = {"own": {}, "outside": {}}
    with psycopg2.connect(url, connect_timeout=WAIT) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT datname, datallowconn AND has_database_privilege(oid, 'CONNECT') FROM pg_database")
        databases = dict(cursor.fetchall())
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%%'")
        found["outside"] |= {f"role {name}": None for (name,) in cursor.fetchall()}
    for database, enters in databases.items():
        found["outside"][f"database {database}"] = None
        if enters:
            place = urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
            with psycopg2.connect(place, connect_timeout=WAIT) as connection, connection.cursor() as cursor:
                cursor.execute(_OBJECTS)
                side = "own" if database in own else "outside"
                found[side] |= {f"{database}: {name}": None for (name,) in cursor.fetchall()}
    return found


def redis(settings: Settings) -> Seen:
    """Return the keys in the database of the settings where they are not too many; the number of keys in others."""
    import redis as driver

    options: dict[str, Any] = {"socket_timeout": WAIT, "socket_connect_timeout": WAIT}
    if settings["REDIS_URL"].startswith("rediss://") and settings.get("REDIS_CA_FILE"):
        options["ssl_ca_certs"] = settings["REDIS_CA_FILE"]
    client = driver.Redis.from_url(settings["REDIS_URL"], **options)
    mine = int(client.connection_pool.connection_kwargs.get("db") or 0)
    keyspace: dict[str, Any] = client.info("keyspace")
    counts = {int(name.removeprefix("db")): its["keys"] for name, its in keyspace.items()}
    found: Seen = {"own": {f"database {mine}": counts.pop(mine, 0)}, "outside": {}}
    found["outside"] = {f"database {number}": keys for number, keys in counts.items()}
    if found["own"][f"database {mine}"] <= KEYS:
        keys = client.scan_iter(count=1000)
        found["own"] |= {f"key {key.decode(errors='replace')[:KEY]}": None for key in keys}
    return found


def neo4j(settings: Settings) -> Seen:
    """Return labels and relationship types with their numbers."""
    import neo4j as driver

    options: dict[str, Any] = {"connection_timeout": WAIT, "connection_acquisition_timeout": WAIT}
    uri, ca = settings["NEO4J_URI"], settings.get("NEO4J_CA_FILE")
    if ca and "+s" in uri:
        uri = uri.replace("+ssc://", "://").replace("+s://", "://")
        options |= {"encrypted": True, "trusted_certificates": driver.TrustCustomCAs(ca)}
    login = (settings["NEO4J_USERNAME"], settings["NEO4J_PASSWORD"])
    found: Seen = {"own": {}, "outside": {}}
    with driver.GraphDatabase.driver(uri, auth=login, **options) as client, client.session() as session:
        for kind, names, question in (
            ("label", "CALL db.labels() YIELD label RETURN label", "MATCH (n:`{}`) RETURN count(n)"),
            (
                "relationship type",
                "CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType",
                "MATCH ()-[r:`{}`]->() RETURN count(r)",
            ),
        ):
            for name in [record[0] for record in session.run(names)]:
                query: Any = question.format(name.replace("`", "``"))
                number = session.run(query).single(strict=True)[0]
                if number:  # a name stays known without any node
                    found["own"][f"{kind} {name}"] = number
        nodes: Any = session.run("MATCH (n) RETURN count(n)").single(strict=True)[0]
        found["own"]["nodes"] = nodes
    return found


def chromadb(settings: Settings) -> Seen:
    """Return databases of the default tenant; collections of each, with their numbers."""
    import ssl

    import httpx

    verify: Any = True
    if settings.get("CHROMA_CA_FILE"):
        verify = ssl.create_default_context(cafile=settings["CHROMA_CA_FILE"])
    headers = {"Authorization": f"Bearer {settings['CHROMA_TOKEN']}"} if settings.get("CHROMA_TOKEN") else {}
    found: Seen = {"own": {}, "outside": {}}
    base = f"{settings['CHROMA_URL'].rstrip('/')}/api/v2/tenants/default_tenant/databases"
    with httpx.Client(timeout=WAIT, verify=verify, headers=headers) as client:

        def ask(address: str) -> Any:
            answer = client.get(address)
            answer.raise_for_status()
            return answer.json()

        for name in [its["name"] for its in ask(base)]:
            side, at = ("own", "") if name == "default_database" else ("outside", f"database {name}: ")
            if at:
                found[side][f"database {name}"] = None
            for collection in ask(f"{base}/{name}/collections"):
                number = ask(f"{base}/{name}/collections/{collection['id']}/count")
                found[side][f"{at}collection {collection['name']}"] = number
    return found


#: Service -> (the setting by which it is known, how it is looked at).
LOOKS: dict[str, tuple[str, Callable[[Settings], Seen]]] = {
    "postgresql": ("DATABASE_URL", postgresql),
    "neo4j": ("NEO4J_URI", neo4j),
    "chromadb": ("CHROMA_URL", chromadb),
    "redis": ("REDIS_URL", redis),
}


def main() -> None:
    """Look at every store that the settings name."""
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["settings"]
    found: dict[str, Any] = {}
    for name, (variable, look) in LOOKS.items():
        if variable in settings:
            try:
                found[name] = look(settings)
            except Exception as error:  # whatever a driver raises: the others are looked at all the same
                found[name] = {"fault": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
