# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep secrets that a process has read out of its failure messages.

`no_log` does not hide why a task failed: Ansible prints the text of an exception that nobody caught, and warnings, in
full. Messages are made without secrets where they are made; this is the last line behind that.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .search import secret_forms

#: Shorter ones would also be found in words that are none.
_SHORTEST = 6
_held: set[str] = set()


class UnexpectedError(Exception):
    """What nobody has foreseen, with its name, and without the secrets in its text."""


def register_secrets(secrets: Iterable[str]) -> None:
    """Note secrets that this process has read, in the forms that they may appear in."""
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            _held.update(form.decode() for form, name in secret_forms(secret).items() if name != "utf-16")


def redacted(error: object) -> str:
    """Return the text of an error, or any other text, without the secrets that are held."""
    return without_secrets(str(error), sorted(_held, key=len, reverse=True))


def redacting(main: Callable[[], None]) -> Callable[[], None]:
    """Let a module's `main` end with UnexpectedError instead of any exception that it does not catch."""

    @functools.wraps(main)
    def guarded() -> None:
        try:
            main()
            return
        except Exception as error:  # whatever it is: its text is Ansible's message
            frame = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{type(error).__name__}: {redacted(error)} ({Path(frame.filename).name}, line {frame.lineno})"
        raise UnexpectedError(text)  # outside of the handler: the chain is printed as well

    return guarded


def all_texts(value: Any) -> list[str]:
    """Return all texts in a value of JSON, keys left out."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in all_texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in all_texts(item)]
    return [value] if isinstance(value, str) else []


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return a text for people without any of the secrets; empty ones are none."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text


def redacted_line(text: str, secrets: Iterable[str]) -> str:
    """Return a text in one line without secrets, in whatever form, also where a secret's own blanks were folded."""
    given = {
        form.decode() for secret in secrets if secret for form, name in secret_forms(secret).items() if name != "utf-16"
    }
    given |= {" ".join(form.split()) for form in given}
    longest = sorted(given, key=len, reverse=True)
    return without_secrets(" ".join(without_secrets(text, longest).split()), longest)
