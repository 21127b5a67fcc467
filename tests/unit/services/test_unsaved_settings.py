"""Settings that were made in a running store, and that no set has."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from ready.services.postgresql import unsaved_settings as postgresql
from ready.services.redis import unsaved_settings as redis

#: Recorded from ACL LIST of Redis 7.0.15, hashes shortened.
FRESH = [
    "user admin on sanitize-payload #1f ~* &* +@all",
    "user default off sanitize-payload resetchannels -@all",
    "user kailash_app on sanitize-payload #2e ~* &* +@all -@admin -@dangerous",
]


def test_nothing_was_changed() -> None:
    """No line without a change, in whatever order users are listed."""
    assert redis.changed_users(FRESH, list(reversed(FRESH))) == []
    one, two = "user m on -@all +client|pause +client|setname", "user m on -@all +client|setname +client|pause"
    assert redis.changed_users([one], [two]) == []
    assert redis.changed_settings({"maxmemory": "1", "save": ""}, {"maxmemory": "1", "save": "60 1"}, {"save"}) == []
    assert redis.unsaved_warnings([], []) == postgresql.unsaved_warnings([]) == []


@pytest.mark.parametrize(
    ("live", "file", "changed"),
    [
        ({"save": "3600 1 300 100", "appendonly": "yes"}, "dir /d\nsave 3600 1 300 100\nappendonly yes\n", []),
        ({"save": "", "appendonly": "yes"}, "save 3600 1\nappendonly yes", ["save"]),
        ({"save": "60 1", "appendonly": "no"}, "appendonly yes", ["appendonly"]),
        ({"save": "60 1", "appendonly": "no"}, 'SAVE ""\nappendonly yes', ["appendonly", "save"]),
        ({"save": "", "appendonly": "no"}, 'save ""\nappendonly NO', []),
        ({"save": "60 1"}, 'save "60  1"', []),
        ({"save": "60 1", "appendonly": "no"}, "", []),
    ],
)
def test_what_the_second_server_has_on_purpose(live: dict[str, str], file: str, changed: list[str]) -> None:
    """It has no save points and no append-only file: of those two the service's own file says what it had."""
    assert redis.changed_persistence(live, file) == changed


def test_a_set_names_it() -> None:
    """Beside what else was changed."""
    from ready.services.redis.backup import RedisDump  # brings its driver along

    def server(**settings: str) -> Any:
        asked = SimpleNamespace(config_get=lambda _: settings, acl_list=lambda: FRESH)
        return SimpleNamespace(connect=lambda _: nullcontext(asked))

    dump: Any = object.__new__(RedisDump)
    dump.probe = server(save="", appendonly="yes", maxmemory="1")
    (line,) = dump._unkept(server(save="", appendonly="no", maxmemory="2"), "save 60 1\nappendonly yes\n")
    assert "CONFIG SET has changed maxmemory, save:" in line


def test_what_was_changed_is_named() -> None:
    """Made, changed and removed users, and settings: by name, never with what may be a password."""
    live = [
        "user alice on sanitize-payload #3d ~a:* resetchannels -@all +get",
        FRESH[0],
        FRESH[2].replace("#2e", "#ff"),
    ]
    assert redis.changed_users(live, FRESH) == ["alice", "default", "kailash_app"]
    changed = redis.changed_settings(
        {"requirepass": "secret", "maxmemory": "1"}, {"requirepass": "", "maxmemory": "1"}, ()
    )
    assert changed == ["requirepass"]
    lines = redis.unsaved_warnings(changed, ["alice"])
    assert "CONFIG SET has changed requirepass" in lines[0]
    assert "Next: put it into redis_settings" in lines[0]
    assert "has changed alice" in lines[1]
    assert "redis_accounts" in lines[1]
    assert "secret" not in str(lines)
    (line,) = postgresql.unsaved_warnings(["max_connections", "work_mem"])
    assert "ALTER SYSTEM has set max_connections, work_mem" in line
    assert "Next: put it into postgresql_settings" in line
