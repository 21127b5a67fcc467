"""What the connector says without a service; connections are tested on real ones."""

from __future__ import annotations

import pytest
from ready.connector import ConnectorError, ServiceConnector, next_step
from ready.environment import SettingsError


@pytest.mark.parametrize(
    ("found", "step"),
    [
        ('FATAL: password authentication failed for user "kailash_app"', "settings anew"),
        ("AuthenticationError: invalid username-password pair or user is disabled.", "settings anew"),
        ("{neo4j_code: Neo.ClientError.Security.Unauthorized}", "settings anew"),
        (
            "Couldn't connect to 127.0.0.1:1 (resolved to ('127.0.0.1:1',)): [Errno 111] Connection refused",
            "./ready up",
        ),
        ("Failed to DNS resolve address nowhere.invalid:7687: Name or service not known", "host name"),
        ("failed to resolve host 'nowhere.invalid'", "host name"),
        ("SSLCertVerificationError: certificate verify failed", "who signs"),
        ("TimeoutError: Timeout reading from socket", "./ready check"),
    ],
)
def test_next_step_fits_what_drivers_say(found: str, step: str) -> None:
    """The words are those of the drivers, recorded."""
    assert step in next_step(found, "redis")


def test_a_refused_password_names_the_service() -> None:
    """`up` compares files, not what the service has; a rotation sets it anew."""
    step = next_step("WRONGPASS invalid username-password pair", "redis")
    assert "./ready secrets rotate --service redis" in step
    assert "./ready up" not in step


def test_service_that_is_not_named() -> None:
    """The variable that would name it, and what prints it."""
    with ServiceConnector.from_settings({"REDIS_URL": "redis://a:b@127.0.0.1:1/0"}) as services:
        assert services.services == ("redis",)
        with pytest.raises(ConnectorError, match=r"PostgreSQL: found nothing.*DATABASE_URL or PGHOST.*ready env"):
            services.postgresql()


def test_no_service_is_named() -> None:
    """An application without settings learns so when it starts."""
    with pytest.raises(SettingsError, match="found no service"):
        ServiceConnector.from_environment({"PATH": "/bin"})
