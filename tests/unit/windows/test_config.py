"""Files that others write too: our keys change, everything else stays."""

from __future__ import annotations

import base64
import json

import pytest
from ready.windows.config import ConfigError, decode, ini_values, merge_ini, merge_settings

HELD = """\
# mine
[wsl2]
memory=4GB   # enough
Processors = 2

[experimental]
autoMemoryReclaim=gradual
"""


def test_ini_keeps_what_it_does_not_name() -> None:
    """Comments, order, other sections, the case of others' keys."""
    merged = merge_ini(HELD, {"wsl2": {"processors": 8, "localhostForwarding": True}})
    assert merged == HELD.replace("Processors = 2\n", "processors=8\nlocalhostForwarding=true\n")


def test_ini_of_nothing() -> None:
    """A new file."""
    assert merge_ini(None, {"boot": {"systemd": True}, "user": {"default": "ready"}}) == (
        "[boot]\nsystemd=true\n\n[user]\ndefault=ready\n"
    )


def test_ini_is_idempotent() -> None:
    """Merging again changes nothing, and neither does merging what is there in other clothes."""
    once = merge_ini(HELD, {"wsl2": {"processors": 8}, "general": {"instanceIdleTimeout": -1}})
    assert merge_ini(once, {"wsl2": {"processors": 8}, "general": {"instanceIdleTimeout": -1}}) == once
    assert merge_ini(HELD, {"wsl2": {"processors": 2}, "experimental": {"autoMemoryReclaim": "gradual"}}) == HELD


def test_ini_removes() -> None:
    """Null takes a key away, wherever it stands, and a second one of the same name goes as well."""
    twice = "[wsl2]\nmemory=1GB\nswap=0\nMEMORY=2GB\n"
    assert merge_ini(twice, {"wsl2": {"memory": None}}) == "[wsl2]\nswap=0\n"
    assert ini_values(merge_ini(twice, {"wsl2": {"memory": "3GB"}}))["wsl2"]["memory"] == "3GB"


def test_ini_without_end_of_line_and_with_carriage_returns() -> None:
    """As Windows' editors leave it."""
    assert merge_ini("\ufeff[wsl2]\r\nmemory=1GB", {"wsl2": {"swap": 0}}) == "[wsl2]\nmemory=1GB\nswap=0\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_are_decoded(encoding: str) -> None:
    """Notepad's choices."""
    assert decode(base64.b64encode("[wsl2]\r\n".encode(encoding)).decode()) == "[wsl2]\r\n"
    assert decode(None) is None


def test_settings_are_merged() -> None:
    """Our keys over theirs; lists united; Docker's own distros are not the user's choice."""
    held = {"AutoStart": False, "AnalyticsEnabled": True, "IntegratedWslDistros": ["Debian", "docker-desktop"]}
    text = merge_settings(json.dumps(held), {"AutoStart": True, "IntegratedWslDistros": ["Ubuntu-22.04"]})
    assert text
    assert json.loads(text) == {
        "AutoStart": True,
        "AnalyticsEnabled": True,
        "IntegratedWslDistros": ["Debian", "Ubuntu-22.04"],
    }
    assert merge_settings(text, {"AutoStart": True, "IntegratedWslDistros": ["Ubuntu-22.04"]}) is None


def test_settings_of_older_releases_keep_their_case() -> None:
    """They write camelCase; a second key beside it would be a third truth."""
    assert json.loads(merge_settings('{"autoStart": false}', {"AutoStart": True}) or "") == {"autoStart": True}


def test_settings_lose_their_byte_order_mark() -> None:
    """Docker's parser refuses one, so that alone is a difference."""
    assert merge_settings('\ufeff{"AutoStart": true}', {"AutoStart": True}) == '{\n  "AutoStart": true\n}\n'


@pytest.mark.parametrize("text", ['{"AutoStart": tru', "[]", '"x"'])
def test_broken_settings_are_refused(text: str) -> None:
    """They are not ours to mend."""
    with pytest.raises(ConfigError, match="no"):
        merge_settings(text, {"AutoStart": True})


def test_settings_of_nothing() -> None:
    """Before the first start there is no file."""
    assert json.loads(merge_settings(None, {"AutoStart": True}) or "") == {"AutoStart": True}
