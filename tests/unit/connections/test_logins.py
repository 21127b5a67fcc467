"""Logins and the database's name: what a store can have is quoted wherever it stands, anything else is refused."""

from __future__ import annotations

import json
import shlex
from typing import Any

import psycopg
import pytest
import redis
from ready.connections.environment import services_in_settings
from ready.connections.settings import settings
from ready.stack.accounts import READER
from ready.stack.definitions import DefinitionError, load_definitions, resolve_stack
from ready.stack.render import render_files

from tests.unit.conftest import VARIABLES

STORES = ["postgresql", "neo4j", "redis"]


def stack(**variables: Any) -> dict[str, Any]:
    """Return a resolved stack with these variables."""
    return resolve_stack(load_definitions(), VARIABLES | {"ready_services": STORES} | variables)


def files(service: dict[str, Any]) -> dict[str, str]:
    """Return the files of a config volume."""
    passwords = {account: f"password-of-{account}" for account in service["accounts"]}
    return {file.path: file.content.decode() for file in render_files(service, passwords, {})}


def test_names_with_a_dash_a_dot_or_capitals() -> None:
    """Earlier versions took them, so data have them."""
    found = stack(
        postgresql_database="kailash-prod",
        postgresql_databases=[{"name": "kailash-prod", "extensions": ["hstore"]}],
        postgresql_accounts={"app": {"login": "KailashApp"}, "backup": {"login": "Kailash-backup"}},
        neo4j_accounts={"app": {"login": "kailash.app"}},
        redis_accounts={"app": {"login": "kailash-app"}},
    )["services"]
    its = files(found["postgresql"])
    assert "SELECT 'CREATE ROLE \"KailashApp\"' WHERE" in its["accounts.sql"]
    assert 'ALTER DATABASE "kailash-prod" OWNER TO "KailashApp";' in its["accounts.sql"]
    assert '\\connect "kailash-prod"\nCREATE EXTENSION IF NOT EXISTS "hstore"' in its["accounts.sql"]
    assert 'replication "Kailash-backup" all' in its["pg_hba.conf"]
    assert "CREATE OR REPLACE USER `kailash.app` SET PASSWORD" in files(found["neo4j"])["accounts.json"]
    assert "\nuser kailash-app on " in files(found["redis"])["users.acl"]


def test_what_shells_and_files_take_for_something_else_is_quoted() -> None:
    """Each of these is a login that its store can have."""
    odd = "a$b&c:d"
    accounts = {account: {"login": f"{odd} {account}"} for account in ("admin", "app", "monitor", "backup")}
    plain = {account: {"login": f"a$b&c%-{account}"} for account in accounts}
    found = stack(
        postgresql_database="kailash & prod",
        postgresql_accounts=accounts,
        neo4j_accounts=plain,
        redis_accounts=plain,
        backup_pitr=True,
    )
    services = found["services"]
    its = services["postgresql"]
    rendered = files(its)
    assert f'local all         "{odd} admin" peer' in rendered["pg_hba.conf"]
    assert rendered["secrets/monitor.pgpass"] == "*:*:*:a$b&c\\:d monitor:password-of-monitor\n"
    words = shlex.split(its["health"]["test"][1])
    assert words[words.index("-U") :][:4] == ["-U", f"{odd} monitor", "-d", "kailash & prod"]
    assert f"-U '{odd} admin' -d postgres" in its["reconcile"][2]
    assert its["env"]["POSTGRES_DB"] == "kailash & prod"
    assert "[app]='a$b&c%-app' " in files(services["neo4j"])["query.sh"]
    assert json.loads(files(services["neo4j"])["accounts.json"])["statements"][0]["statement"].count("`") == 2
    assert "printf 'AUTH %s ' 'a$b&c%-monitor'; cat" in services["redis"]["health"]["test"][1]
    wal = {file.path: file.content.decode() for file in render_files(found["sidecars"]["wal"], {"backup": "x"}, {})}
    assert 'server="host=postgresql user=a\\$b&c:d\\ backup"' in wal["receive.sh"]
    assert wal["secrets/backup.pgpass"] == "*:*:*:a$b&c\\:d backup:x\n"


def test_passwords_of_somebodys_own_are_escaped_for_libpq() -> None:
    """In its file a colon ends a field, and a backslash escapes."""
    found = stack(backup_pitr=True)
    passwords = dict.fromkeys(found["services"]["postgresql"]["accounts"], "a:b\\c")
    rendered = render_files(found["services"]["postgresql"], passwords, {})
    rendered += render_files(found["sidecars"]["wal"], {"backup": "a:b\\c"}, {})
    its = {file.path: file.content for file in rendered}
    assert its["secrets/monitor.pgpass"] == b"*:*:*:ready_monitor:a\\:b\\\\c\n"
    assert its["secrets/backup.pgpass"] == b"*:*:*:ready_backup:a\\:b\\\\c\n"


def test_what_is_plain_stays_as_it_was() -> None:
    """Quotes where none are needed would make containers again."""
    its = stack()["services"]["postgresql"]
    assert "-U ready_monitor -d kailash_production -wAtqc" in its["health"]["test"][1]
    assert "-U postgres -d postgres -f" in its["reconcile"][2]


def test_urls_are_percent_encoded() -> None:
    """Drivers read back what the inventory has."""
    its = stack(
        postgresql_database="kailash/prod?",
        postgresql_accounts={"app": {"login": "kailash@app"}},
        redis_accounts={"app": {"login": "kailash/app"}},
    )
    values = settings(its, {"postgresql": {"app": "p/w:@%"}, "redis": {"app": "p/w:@%"}})
    parsed = psycopg.conninfo.conninfo_to_dict(values["DATABASE_URL"])
    assert (parsed["user"], parsed["password"], parsed["dbname"]) == ("kailash@app", "p/w:@%", "kailash/prod?")
    pool = redis.ConnectionPool.from_url(values["REDIS_URL"])
    assert (pool.connection_kwargs["username"], pool.connection_kwargs["password"]) == ("kailash/app", "p/w:@%")
    found = services_in_settings(values)
    assert found.services["postgresql"]["database"] == "kailash/prod?"
    assert found.services["redis"]["accounts"] == {"app": {"login": "kailash/app"}}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        *(
            ({f"{store}_accounts": {"app": {"login": login}}}, f"{store}_accounts.app.login: found ")
            for store in STORES
            for login in ("", " a", "a\nb", "a\tb", 'a"b', "a'b", "a`b", "a\\b", None, True, ["a"])
        ),
        ({"postgresql_accounts": {"app": {"login": "pg_app"}}}, "expected a name of up to 63 bytes"),
        ({"postgresql_accounts": {"app": {"login": "/app"}}}, "expected a name of up to 63 bytes"),
        ({"postgresql_accounts": {"app": {"login": "ä" * 32}}}, "expected a name of up to 63 bytes"),
        ({"postgresql_accounts": {"app": {"login": READER}}}, "that is free"),
        ({"neo4j_accounts": {"app": {"login": "a:b"}}}, "without blanks, commas, colons, quotes"),
        ({"neo4j_accounts": {"app": {"login": "käse"}}}, "expected a name in ASCII"),
        ({"redis_accounts": {"app": {"login": "a b"}}}, "expected a name without blanks"),
        ({"redis_accounts": {"app": {"login": "default"}}}, "that is free"),
        ({"redis_accounts": {"app": None}}, "redis_accounts.app: expected nothing but a login"),
        ({"postgresql_accounts": {"shop": {"login": "shop-app"}}}, "expected a name of a-z 0-9 _ that is free"),
        *(
            ({"postgresql_database": name}, "postgresql_database: found ")
            for name in ("", 'a"b', "a'b", "a\nb", "a=b", "postgres://a", "x" * 64)
        ),
    ],
)
def test_what_no_store_can_have_is_refused(variables: dict[str, Any], message: str) -> None:
    """With the variable, and what would fit."""
    with pytest.raises(DefinitionError) as refused:
        stack(**variables)
    assert message in str(refused.value)


def test_a_number_is_a_login() -> None:
    """YAML has a name of digits as a number."""
    assert stack(redis_accounts={"app": {"login": 2024}})["services"]["redis"]["accounts"]["app"]["login"] == "2024"
