# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a verb is spelled: images_lock.yml is the verb `images lock`, test_app.yml is `test-app`. Pure functions.

A verb of a group is two words, every other one is a single word. Whoever prints a verb takes its name from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

#: First words that several verbs share. A list, so that a new playbook changes the spelling of no other verb.
GROUPS = frozenset({"backup", "images", "secrets", "windows"})


def verb_name(playbook: str) -> str:
    """Return what a user types for a playbook: images_lock -> "images lock", test_app -> "test-app"."""
    first, _, rest = playbook.partition("_")
    words = [first, rest] if rest and first in GROUPS else [playbook]
    return " ".join(word.replace("_", "-") for word in words)


def page_of(playbook: str) -> str:
    """Return the page of docs/verbs that a verb is on: a group has one for all of its verbs."""
    return verb_name(playbook).partition(" ")[0]


def find(words: Sequence[str], playbooks: Iterable[str]) -> tuple[str | None, int]:
    """Return the playbook that the first two words name, or the first one, and how many words that took."""
    names = {verb_name(playbook): playbook for playbook in playbooks}
    for count in (2, 1):
        if len(words) >= count and (playbook := names.get(" ".join(words[:count]))):
            return playbook, count
    return None, 0


def misspelt(words: Sequence[str], playbooks: Iterable[str]) -> tuple[str, str]:
    """Return what was typed, and the verb whose words it joins differently; "" where it joins none so.

    Such as test_app and `test app` for test-app, or images-lock for `images lock`.
    """
    names = {verb_name(playbook) for playbook in playbooks}
    joined = {re.sub("[ -]", "_", name): name for name in names}
    typed = list(takewhile(lambda word: not word.startswith("-"), words))
    for count in range(len(typed), 0, -1):
        given = " ".join(typed[:count])
        if given in names:
            break
        if name := joined.get(re.sub("[ -]", "_", given)):
            return given, name
    return "", ""
