# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real stores, by the settings of the environment or of a file .env. What a test makes is removed after it."""

import os
import secrets
from collections.abc import Iterator

import pytest
from dotenv import dotenv_values

from catalogue.ingest import Ingestion
from catalogue.settings import Settings
from catalogue.stores import Stores, remove


def _tables(stores: Stores) -> set[str]:
    with stores.postgresql.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row[0] for row in cursor.fetchall()}


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Other names in each run: the data of the application are left alone."""
    own = {"CATALOGUE_PREFIX": f"catalogue_test_{secrets.token_hex(4)}"}
    values = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return Settings.from_environment(values | dict(os.environ) | own)


@pytest.fixture(scope="session")
def stores(settings: Settings) -> Iterator[Stores]:
    """Open connections; in the end remove what carries the prefix, and the tables that were not there before."""
    with Stores(settings) as its:
        before = _tables(its)
        yield its
        with its.postgresql.cursor() as cursor:
            for table in _tables(its) - before:
                cursor.execute(f'DROP TABLE "{table}"')
    remove(settings)


@pytest.fixture(scope="session")
def ingestion(stores: Stores) -> Iterator[Ingestion]:
    """The workflow on these stores."""
    its = Ingestion(stores)
    yield its
    its.close()


@pytest.fixture
def product(stores: Stores) -> Iterator[str]:
    """The id of a product that nobody has; its rows are removed after the test."""
    tag = f"test-{secrets.token_hex(6)}"
    yield tag
    with stores.postgresql.cursor() as cursor:
        for table in ("document_files", "product_catalogs", "suppliers", "product_categories"):
            cursor.execute(f"DELETE FROM {table} WHERE id LIKE %s", [f"%{tag}%"])
