"""What sets PostgreSQL's accounts, and that data of an earlier version get it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from ready.connections.settings import settings
from ready.stack import render
from ready.stack.accounts import missing_from_set, working_logins
from ready.stack.definitions import DefinitionError, load_definitions, resolve_stack
from ready.stack.render import ROLES_DIR, render_files


def service(**variables: Any) -> dict[str, Any]:
    """Return PostgreSQL resolved with these variables."""
    stack = {"stack_name": "tt", "ready_services": ["postgresql"], "ready_bind_address": "127.0.0.1"}
    resolved: dict[str, Any] = resolve_stack(load_definitions(), stack | variables)["services"]["postgresql"]
    return resolved


def files(its: dict[str, Any], roles: Path = ROLES_DIR) -> dict[str, str]:
    """Return the files of its config volume."""
    passwords = {account: f"password-of-{account}" for account in its["accounts"]}
    return {file.path: file.content.decode() for file in render_files(its, passwords, {}, roles=roles)}


def test_a_password_is_hashed_where_a_template_takes_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs 4,096 rounds in every run: once for each of PostgreSQL's accounts, and for nobody else's."""
    hashed: list[str] = []

    def verifier(password: str, salt: bytes) -> str:
        del salt
        hashed.append(password)
        return f"verifier-of-{password}"

    monkeypatch.setattr(render, "scram_sha_256", verifier)
    its = service()
    sql = files(its)["accounts.sql"]
    assert sorted(hashed) == sorted(f"password-of-{account}" for account in its["accounts"])
    assert all(f"'verifier-of-{password}'" in sql for password in hashed)
    hashed.clear()
    stack = {"stack_name": "tt", "ready_services": ["redis"], "ready_bind_address": "127.0.0.1"}
    assert files(resolve_stack(load_definitions(), stack)["services"]["redis"])
    assert hashed == []


def test_the_monitor_reads_nothing_of_others() -> None:
    """Neither rows nor texts of queries, also where an earlier version has granted them."""
    sql = files(service())["accounts.sql"]
    assert 'REVOKE pg_monitor, pg_read_all_data FROM "ready_monitor";' in sql
    granted = [line for line in sql.splitlines() if line.startswith("GRANT pg_")]
    assert granted == ["GRANT pg_read_all_data TO ready_reader;"]


def test_function_of_another_is_taken_over() -> None:
    """Its columns may be those of another version, and its owner somebody else, whose rights it would run with."""
    sql = files(service(postgresql_accounts={"admin": {"login": "root"}}))["accounts.sql"]
    begin, made = sql.index("BEGIN;"), sql.index("CREATE OR REPLACE FUNCTION ready.activity() RETURNS TABLE (")
    columns = sql[made:].partition("TABLE (")[2].partition(")")[0]
    assert begin < sql.index('ALTER SCHEMA ready OWNER TO "root";') < sql.index("DROP FUNCTION ready.activity()") < made
    assert f"pg_get_function_result(oid) <> 'TABLE({columns})'" in sql
    assert made < sql.index('ALTER FUNCTION ready.activity() OWNER TO "root";') < sql.index("COMMIT;")
    assert columns.startswith("pid integer, datname name,")


def test_grants_of_before_are_carried_over() -> None:
    """Databases that let the monitor in for a backup's proof, as the documentation said, let the reader in."""
    sql = files(service(postgresql_accounts={"monitor": {"login": "watcher"}}))["accounts.sql"]
    made, carried = sql.index("CREATE ROLE ready_reader"), sql.index("GRANT CONNECT ON DATABASE %I TO ready_reader")
    assert made < sql.index('TO "watcher", "ready_backup", ready_reader;') < carried
    assert "has_database_privilege('watcher', oid, 'CONNECT')" in sql[carried:]


def test_owner_is_refused_before_anything_changes() -> None:
    """Where objects of the one so far would be left behind; Molecule's scenario has a server say so."""
    sql = files(service(**FURTHER))["accounts.sql"]
    values = "VALUES ('kailash_production', 'kailash_app'), ('shop', 'shop'), ('second', 'kailash_app'))"
    assert values in sql
    assert sql.index(values) < sql.index("refused: postgresql_databases: found %. Next: ") < sql.index("ALTER ROLE")


def test_other_rights_are_set_on_data_that_are_there(tmp_path: Path) -> None:
    """Accounts are set when their fingerprint is new to the data: a new version's rights change it."""
    shutil.copytree(ROLES_DIR / "postgresql", tmp_path / "postgresql")
    template = tmp_path / "postgresql" / "templates" / "accounts.sql.j2"
    before = files(service(), tmp_path)["accounts.id"]
    assert files(service(), tmp_path)["accounts.id"] == before
    template.write_text(template.read_text().replace("REVOKE pg_monitor, ", "REVOKE "))
    assert files(service(), tmp_path)["accounts.id"] != before


FURTHER = {
    "postgresql_accounts": {"shop": None, "reports": {"login": "reports_ro"}},
    "postgresql_databases": [
        {"name": "shop", "owner": "shop", "extensions": ["pg_trgm"]},
        {"name": "second"},
        {"name": "kailash_production", "extensions": ["hstore"]},
    ],
}


def test_further_accounts_and_databases() -> None:
    """Each has a password and its own rights alone; the application's database comes first and keeps its owner."""
    its = service(**FURTHER)
    assert {account: found["login"] for account, found in its["accounts"].items()} == {
        "admin": "postgres", "app": "kailash_app", "monitor": "ready_monitor", "backup": "ready_backup",
        "shop": "shop", "reports": "reports_ro",
    }  # fmt: skip
    assert [(found["name"], found["owner"], found["extensions"]) for found in its["databases"]] == [
        ("kailash_production", "app", ["hstore"]), ("shop", "shop", ["pg_trgm"]), ("second", "app", []),
    ]  # fmt: skip
    rendered = files(its)
    assert rendered["secrets/shop"] == "password-of-shop"
    assert (
        'REVOKE ALL ON DATABASE "kailash_production", "shop", "second", postgres, template1 FROM PUBLIC;'
        in (rendered["accounts.sql"])
    )
    assert rendered["accounts.sql"].index("refused: ") < rendered["accounts.sql"].index("ALTER ROLE")
    assert re.findall(r"DROP \w+", rendered["accounts.sql"]) == ["DROP FUNCTION"]
    assert rendered["accounts.id"] != files(service())["accounts.id"]
    assert FURTHER["postgresql_accounts"] == {"shop": None, "reports": {"login": "reports_ro"}}, "an inventory's own"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"postgresql_databases": {"name": "x"}}, "postgresql_databases: found .*, expected a list"),
        ({"postgresql_databases": ["x"]}, "postgresql_databases: found text, expected entries such as"),
        ({"postgresql_databases": [{"name": "x", "onwer": "app"}]}, "expected entries such as"),
        ({"postgresql_databases": [{"name": "a-b"}]}, 'found the name "a-b", expected entries such as'),
        (
            {"postgresql_databases": [{"name": "x", "password": "hunter2"}]},
            "found a mapping of name, password, expected",
        ),
        ({"postgresql_databases": ["x:hunter2"]}, "found text, expected"),
        ({"postgresql_databases": [{"name": "x", "owner": {"app": "hunter2"}}]}, "found the owner a mapping of app of"),
        ({"postgresql_databases": [{"name": "x", "extensions": ["hunter2 "]}]}, "found the extensions a list of x"),
        ({"postgresql_accounts": {"shop": {"login": {"shop": "hunter2"}}}}, "login: found a mapping of shop, expected"),
        ({"postgresql_databases": [{"name": "x"}, {"name": "x"}]}, "found x, twice"),
        ({"postgresql_databases": [{"name": "template1"}]}, "found template1, which every server has"),
        (
            {"postgresql_databases": [{"name": "x", "owner": "shop"}]},
            'found the owner "shop" of x, expected one of app',
        ),
        ({"postgresql_databases": [{"name": "x", "owner": "monitor"}]}, "expected one of app"),
        ({"postgresql_databases": [{"name": "kailash_production", "owner": "admin"}]}, "it is the application's"),
        ({"postgresql_databases": [{"name": "x", "extensions": "hstore"}]}, 'found the extensions "hstore" of x'),
        ({"postgresql_databases": [{"name": "x", "extensions": ["a'b"]}]}, "found the extensions"),
        ({"postgresql_accounts": {"a-b": {}}}, "found the account 'a-b'"),
        (
            {"postgresql_accounts": {"shop": {"password": "x"}}},
            "postgresql_accounts.shop: expected nothing but a login",
        ),
        ({"postgresql_accounts": {"shop": {"login": "kailash_app"}}}, "is the login of app already"),
        ({"postgresql_accounts": {"ready_reader": {}}}, 'ready_reader.login: found "ready_reader"'),
        ({"postgresql_accounts": {"app": "text"}}, "postgresql_accounts.app: expected nothing but a login"),
    ],
)
def test_what_does_not_fit_is_named(variables: dict[str, Any], message: str) -> None:
    """At once, with the variable."""
    with pytest.raises(DefinitionError, match=message) as caught:
        service(**variables)
    assert "hunter2" not in str(caught.value)


def test_only_postgresql_has_further_accounts() -> None:
    """Another store would get a password that nobody can log in with."""
    stack = {"stack_name": "tt", "ready_services": ["redis"], "ready_bind_address": "127.0.0.1"}
    with pytest.raises(DefinitionError, match="redis_accounts: found the account shop, expected some of admin, app"):
        resolve_stack(load_definitions(), stack | {"redis_accounts": {"shop": {}}})


def test_a_set_of_before_is_no_fault() -> None:
    """What accounts have brought since then is kept apart from what a restore has brought."""
    names = {"roles": ["postgres", "kailash_app", "ready_monitor", "ready_backup"], "databases": ["kailash_production"]}
    assert missing_from_set(service(**FURTHER), names) == ({"ready_reader", "shop", "reports_ro"}, {"shop", "second"})
    assert missing_from_set(service(**FURTHER), {}) == (set(), set())


def test_accounts_that_up_makes_are_not_asked() -> None:
    """A good set is not called bad for an account that the inventory has had since; Ready's own must always work."""
    its = service(**FURTHER)
    own = [(account, "kailash_production") for account in ("admin", "app", "monitor", "backup")]
    owners = {"kailash_production": "kailash_app", "shop": "shop"}
    assert working_logins(its, its["accounts"], owners) == ([*own, ("shop", "shop")], [])
    assert working_logins(its, ["admin", "app", "monitor", "backup"], owners) == (own, ["shop"]), (
        "it has no password yet"
    )
    assert working_logins(its, its["accounts"], owners | {"shop": "kailash_app"}) == (own, ["shop"]), (
        "of another owner yet"
    )
    assert working_logins(its, [], {}) == (own, ["shop"])


def test_settings_name_further_databases() -> None:
    """A URL for each, as its owner."""
    its = service(**FURTHER)
    stack = {"services": {"postgresql": its}}
    found = settings(stack, {"postgresql": {account: f"pw-{account}" for account in its["accounts"]}})
    assert found["DATABASE_URL"] == "postgresql://kailash_app:pw-app@127.0.0.1:5432/kailash_production"
    assert found["DATABASE_URL_SHOP"] == "postgresql://shop:pw-shop@127.0.0.1:5432/shop"
    assert found["DATABASE_URL_SECOND"] == "postgresql://kailash_app:pw-app@127.0.0.1:5432/second"
    assert "pw-" not in "".join(settings(stack, None).values())
