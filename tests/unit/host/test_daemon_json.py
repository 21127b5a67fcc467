# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""daemon.json is merged, never overwritten."""

from __future__ import annotations

import json

import pytest
from ready.host.daemon_json import DaemonJsonError, log_and_restore_settings, merge_daemon_json

READY = log_and_restore_settings("10m", 3, live_restore=True)


def test_a_new_file_gets_everything() -> None:
    """Without a file all that Ready wants is written, the inventory's options before Ready's own."""
    result = merge_daemon_json(None, {"live-restore": False, "mtu": 1400}, READY)
    assert result["write"]
    assert json.loads(result["content"]) == {
        "live-restore": False,
        "mtu": 1400,
        "log-driver": "json-file",
        "log-opts": {"max-size": "10m", "max-file": "3"},
    }


def test_what_the_file_says_wins() -> None:
    """A key of the user keeps its value, in a nested mapping too."""
    result = merge_daemon_json('{"live-restore": false, "log-opts": {"max-size": "1m"}}', {"live-restore": True}, READY)
    assert json.loads(result["content"]) == {
        "live-restore": False,
        "log-driver": "json-file",
        "log-opts": {"max-size": "1m", "max-file": "3"},
    }


def test_options_of_another_log_driver_are_not_mixed_in() -> None:
    """Docker would not start: `max-file` is unknown to journald."""
    text = '{"log-driver": "journald", "live-restore": true}'
    assert merge_daemon_json(text, {}, READY) == {"write": False, "content": text}


def test_nothing_to_add_leaves_the_very_bytes() -> None:
    """The second run finds nothing to do, however the file is laid out."""
    first = merge_daemon_json("", READY)["content"]
    compact = json.dumps(json.loads(first))
    assert merge_daemon_json(compact, READY) == {"write": False, "content": compact}


@pytest.mark.parametrize("text", ['{"log-opts":', "[]", "nonsense"])
def test_a_broken_file_is_refused(text: str) -> None:
    """It is named what is wrong, and nothing is returned to be written."""
    with pytest.raises(DaemonJsonError, match=r"no valid JSON: .* line 1|a JSON list, expected an object"):
        merge_daemon_json(text, READY)
