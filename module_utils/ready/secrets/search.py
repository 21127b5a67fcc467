# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Search for secrets where none may be; name them by account, form and place, never show them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..stack.backends import checked_services

#: Bytes read of any one file; what is longer is not written by Ready.
LARGEST_FILE = 16 * 2**20


def _escaped(secret: str) -> Iterator[str]:
    """Yield a secret as Python, JSON, XML and PowerShell write it between quotes."""
    for text in (repr(secret)[1:-1], ascii(secret)[1:-1]):  # Python escapes ' alone, and only where " is there too
        yield from (text, text.replace("\\'", "'"))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    marked = html.escape(secret, quote=False)
    for double, single in product(('"', "&quot;", "&#34;"), ("'", "&apos;", "&#x27;", "&#39;")):
        yield marked.replace('"', double).replace("'", single)
    yield secret.replace("'", "''")


def secret_forms(secret: str, login: str = "") -> dict[bytes, str]:
    """Return each form that a secret may be found in -> what the form is called.

    Base64 of a text depends on where it stands in what was encoded, so there are three beginnings. The characters at
    both ends that its neighbours take part in are left out. `login` adds what HTTP's basic authentication sends.
    """
    found = {secret.encode(): "plain"}
    found.setdefault(quote(secret, safe="").encode(), "url-encoded")
    for text in _escaped(secret):
        found.setdefault(text.encode(), "escaped")
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + secret.encode()).rstrip(b"=")
        first = (lead * 8 + 5) // 6  # the first character made of the secret's bits alone
        last = (lead + len(secret.encode())) * 8 // 6
        for form in (encoded[first:last], encoded[first:last].translate(bytes.maketrans(b"+/", b"-_"))):
            found.setdefault(form, "base64")
    if login:
        found.setdefault(base64.b64encode(f"{login}:{secret}".encode()), "base64 with its login")
    found.setdefault(secret.encode("utf-16-le"), "utf-16")
    return found


def key_line(pem: str) -> str:
    """Return the second line of a private key, PKCS#8 of an elliptic curve: there its secret number stands.

    A line is found also where the lines are joined in another way, as in JSON; other lines hold the public part, which
    is in the certificate, too.
    """
    return pem.splitlines()[2]


class Search:
    """Looks for every secret of a stack, in every form, in one pass.

    Args:
        stack: the resolved stack, for the logins.
        passwords: service -> account -> password.
        keys: whose -> private key (PEM) as Ready makes it.
    """

    def __init__(
        self,
        stack: Mapping[str, Any],
        passwords: Mapping[str, Mapping[str, str]],
        keys: Mapping[str, str] | None = None,
    ) -> None:
        services = checked_services(stack)
        self._names: dict[bytes, tuple[str, str]] = {}
        for service, accounts in passwords.items():
            for account, password in accounts.items():
                login = services.get(service, {}).get("accounts", {}).get(account, {}).get("login", "")
                for form, name in secret_forms(password, login).items():
                    self._names[form] = (f"the password of {service}'s {account}", name)
        for whose, pem in (keys or {}).items():
            for form, name in secret_forms(key_line(pem)).items():
                self._names[form] = (f"the private key of {whose}", name)
        longest_first = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, longest_first))) if longest_first else None

    @property
    def secrets(self) -> int:
        """How many secrets are looked for."""
        return len({name for name, _ in self._names.values()})

    def text(self, content: str | bytes, place: str) -> list[str]:
        """Return a line per secret that stands in `content`: whose, in which form, where."""
        if self._pattern is None:
            return []
        data = content.encode(errors="surrogateescape") if isinstance(content, str) else content
        hits = dict.fromkeys(self._names[match] for match in self._pattern.findall(data))
        return [f"{whose} ({form}) in {place}" for whose, form in hits]

    def files(self, paths: Iterable[Path]) -> tuple[list[str], int]:
        """Return the lines for all files at and below `paths`, and how many files were read."""
        lines, read = [], 0
        for path in sorted({item for top in paths for item in (top.rglob("*") if top.is_dir() else [top])}):
            try:
                if path.is_symlink() or not path.is_file():
                    continue
                with path.open("rb") as stream:
                    lines += self.text(stream.read(LARGEST_FILE), str(path))
            except OSError:  # another run's temporary file that has just gone
                continue
            read += 1
        return lines, read
