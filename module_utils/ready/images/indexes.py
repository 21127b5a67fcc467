# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check that the package indexes of a build answer this host, asked as the build asks them.

An answer does not say that a build works, and a build is not tried here; without one it can't.
"""

from __future__ import annotations

import base64
import re
import shlex
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from .build_failures import without_url_credentials
from .build_settings import Host, host_files, split_credentials

#: Answers of a proxy or gateway that did not get through, and of a mirror that has not got the release.
_FAILED = frozenset({404, 407, 500, 502, 503, 504})
#: Asks an address; returns why it does not serve, "" if it does.
Ask = Callable[[str], str]


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirection is an answer, too."""

    def redirect_request(self, *_: Any) -> None:
        """Return no request, so that the redirection is raised as it came."""


def needed_indexes(recipe: Mapping[str, Any], files: Mapping[str, str], mirrors: Iterable[str]) -> list[str]:
    """Return the addresses that must answer, so that an image can be built; without user and password.

    Args:
        recipe: `suite` and `pip` of the image's recipe.
        files: the host's package settings, as `build_settings.host_files` returns them.
        mirrors: its Debian archives, best first.
    """
    found = [f"{mirror.rstrip('/')}/dists/{recipe['suite']}/InRelease" for mirror in list(mirrors)[:1]]
    # Where no file names an index, pip asks its own default, which is not ours to know.
    index = re.search(r"(?m)^index-url = (\S+)", files["pip.conf"])
    if recipe["pip"] and index:
        found.append(f"{split_credentials(index[1])[0].rstrip('/')}/pip/")
    return found


def index_asker(files: Mapping[str, str], timeout: float) -> Ask:
    """Return what asks an address by the host's proxies and CA bundle; `timeout` is seconds for each."""
    proxies = dict(word.partition("=")[::2] for word in shlex.split(files["env"]))
    context = ssl.create_default_context(cadata=files["ca.crt"] or None)

    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), _Stay
    )

    def ask(address: str) -> str:
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310  # a mirror's or an index's
        parts = urlsplit(address)
        proxy = proxies.get(f"{parts.scheme}_proxy") or proxies.get("all_proxy")
        known = {"no": proxies.get("no_proxy", "")}
        if proxy and not urllib.request.proxy_bypass_environment(parts.netloc, known):  # type: ignore[attr-defined]
            # Not by a ProxyHandler, which goes by this process's no_proxy: the host's may be in a file.
            clean, login = split_credentials(proxy if "://" in proxy else f"http://{proxy}")
            if login:
                word = base64.b64encode(f"{login[1]}:{login[2]}".encode()).decode()
                request.add_header("Proxy-Authorization", f"Basic {word}")
            if urlsplit(clean).scheme not in ("http", "https"):
                return ""  # SOCKS, which is not ours to speak: the build says whether it works
            request.set_proxy(urlsplit(clean).netloc, urlsplit(clean).scheme)
        try:
            with opener.open(request, timeout=timeout):
                return ""
        except urllib.error.HTTPError as error:  # a login that was not sent, say: it answers
            return f"it answers {error.code}" if error.code in _FAILED else ""
        except (OSError, ValueError) as error:
            return without_url_credentials(" ".join(str(getattr(error, "reason", error)).split()))

    return ask


def images_without_indexes(
    choices: Mapping[str, Mapping[str, Any]],
    looked: Iterable[Mapping[str, Any]],
    recipes: Mapping[str, Mapping[str, Any]],
    host: Host,
    timeout: float,
) -> dict[str, list[str]]:
    """Return image -> why it can't be built here, of those that are to be built and can't.

    Args:
        choices: what `sources.choose_all` returned.
        looked: what `sources.look` returned: an image that is there needs no build.
        recipes: image -> its recipe's `suite` and `pip`.
        host: how to read this host.
        timeout: seconds for each address.
    """
    found: dict[str, list[str]] = {}
    answers: dict[str, str] = {}
    ask: Ask | None = None
    for name in [item["item"] for item in looked if item["item"] in choices and "id" not in item["image"]]:
        if name not in recipes:
            found[name] = [f"no such image recipe: images/{name}"]
            continue
        files, mirrors = host_files(host, recipes[name]["suite"])
        ask = ask or index_asker(files, timeout)
        for address in needed_indexes(recipes[name], files, mirrors.main):
            if address not in answers:
                answers[address] = ask(address)
            if answers[address]:
                found.setdefault(name, []).append(f"package index {address}: {answers[address]}")
    return found
