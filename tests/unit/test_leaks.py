"""A secret is found in every form, and told of without being shown."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ready.leaks import Search, forms

SECRET = "Xk3vQ9mT2bLw7RzN5cHs8JdF4gYp6AeU"
AWKWARD = "a+b/c=d~e:f!g*h i"
STACK: dict[str, Any] = {
    "services": {"redis": {"accounts": {"app": {"login": "kailash_app"}, "admin": {"login": "admin"}}}}
}


@pytest.fixture
def search() -> Search:
    """Return a search for one account's password."""
    return Search(STACK, {"redis": {"app": SECRET}})


@pytest.mark.parametrize("secret", [SECRET, AWKWARD])
@pytest.mark.parametrize("lead", range(7))
@pytest.mark.parametrize("tail", range(4))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_wherever_it_begins(secret: str, lead: int, tail: int, encode: Any) -> None:
    """What stands before and after it in what was encoded does not hide it."""
    found = encode(os.urandom(lead) + secret.encode() + os.urandom(tail))
    assert Search(STACK, {"redis": {"app": secret}}).text(b"x" + found + b"y", "here")


@pytest.mark.parametrize("text", [f"a{AWKWARD}b", quote(AWKWARD, safe=""), f"postgres://u:{quote(AWKWARD, safe='')}@h"])
def test_plain_and_url_encoded(text: str) -> None:
    """As it is, and as a DSN has it."""
    assert Search(STACK, {"redis": {"app": AWKWARD}}).text(text, "here")


def test_message_names_account_form_and_place(search: Search) -> None:
    """It holds no part of the secret."""
    basic = base64.b64encode(f"kailash_app:{SECRET}".encode()).decode()
    assert search.text(f"password={SECRET}", "docker inspect x") == [
        "the password of redis's app (plain) in docker inspect x"
    ]
    (line,) = search.text(f"Authorization: Basic {basic}", "the log")
    assert line.startswith("the password of redis's app (base64")
    assert SECRET[:6] not in line
    assert basic[:12] not in line
    assert search.text(SECRET.encode("utf-16-le"), "x") == ["the password of redis's app (utf-16) in x"]


def test_nothing_is_found_where_nothing_is(search: Search) -> None:
    """Neither in other text, nor in half of the secret, nor in its hash."""
    assert search.text(f"{SECRET[:20]} {SECRET[12:]} {SECRET.lower()}", "x") == []
    assert Search(STACK, {}).text(SECRET, "x") == []
    assert (search.secrets, Search(STACK, {}).secrets) == (1, 0)


def test_forms_are_long_enough_to_mean_something() -> None:
    """A short form would be found by chance."""
    assert min(map(len, forms(SECRET, "app"))) > 30


def test_files_are_read_to_the_bottom(tmp_path: Path, search: Search) -> None:
    """In directories, beside files that can't be text and links that lead nowhere."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x.json").write_bytes(b"\xff\xfe" + SECRET.encode())
    (tmp_path / "a" / "good.json").write_text("{}")
    (tmp_path / "a" / "link").symlink_to("nowhere")
    lines, read = search.files([tmp_path / "a", tmp_path / "absent"])
    assert lines == [f"the password of redis's app (plain) in {tmp_path / 'a' / 'b' / 'x.json'}"]
    assert read == 2
