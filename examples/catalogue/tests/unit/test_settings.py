# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the environment must say, and what names are made of the prefix."""

import pytest

from catalogue.settings import NEEDED, Settings, SettingsError

GIVEN = {
    "DATABASE_URL": "postgresql://app:one-secret@127.0.0.1:5432/kailash",
    "NEO4J_URI": "bolt://127.0.0.1:7687",
    "NEO4J_USERNAME": "app",
    "NEO4J_PASSWORD": "two-secret",
    "CHROMA_URL": "http://127.0.0.1:8000",
    "REDIS_URL": "redis://app:three-secret@127.0.0.1:6379/0",
}


def test_names_are_made_of_the_prefix() -> None:
    """Each store has its own way to keep things apart."""
    settings = Settings.from_environment({**GIVEN, "CATALOGUE_PREFIX": "my_shop"})
    assert settings.key("session", "7") == "my_shop:session:7"
    assert settings.collection() == "my_shop_documents"
    assert settings.label == "MyShop"


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_name_is_said(name: str) -> None:
    """Names, no values."""
    with pytest.raises(SettingsError, match=name) as refused:
        Settings.from_environment({key: value for key, value in GIVEN.items() if key != name})
    assert "secret" not in str(refused.value).replace("--secrets", "")


def test_no_secret_is_shown() -> None:
    """A settings object in a log shows addresses alone."""
    assert "secret" not in repr(Settings.from_environment(GIVEN))


@pytest.mark.parametrize("prefix", ["A", "1a", "a-b", "a_", "a" * 41, "a'b", "a b", "ä"])
def test_a_prefix_that_is_no_name_is_refused(prefix: str) -> None:
    """It becomes part of statements."""
    with pytest.raises(SettingsError, match="CATALOGUE_PREFIX"):
        Settings.from_environment({**GIVEN, "CATALOGUE_PREFIX": prefix})


@pytest.mark.parametrize("size", ["0", "51", "-1", "x", "١"])
def test_a_pool_that_is_no_number_is_refused(size: str) -> None:
    """More than PostgreSQL has connections is no help."""
    with pytest.raises(SettingsError, match="DATAFLOW_POOL_SIZE"):
        Settings.from_environment({**GIVEN, "DATAFLOW_POOL_SIZE": size})


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8000", ("127.0.0.1", 8000, False)),
        ("http://chroma", ("chroma", 8000, False)),
        ("https://gateway.example:8443", ("gateway.example", 8443, True)),
        ("http://[::1]:8000", ("::1", 8000, False)),
    ],
)
def test_chroma_is_found_by_its_url(url: str, address: tuple[str, int, bool]) -> None:
    """TLS means the gateway."""
    assert Settings.from_environment({**GIVEN, "CHROMA_URL": url}).chroma_address == address


def test_the_ai_service_may_be_missing() -> None:
    """Then questions can't be answered, and the rest works."""
    assert not Settings.from_environment(GIVEN).has_ai
    assert Settings.from_environment({**GIVEN, "OPENAI_BASE_URL": "http://127.0.0.1:8090/v1"}).has_ai
    none = {**GIVEN, "READY_AI_BACKEND": "none", "OPENAI_BASE_URL": "http://127.0.0.1:8090/v1"}
    assert not Settings.from_environment(none).has_ai
