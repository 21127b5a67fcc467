# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether package indexes answer: real ones on loopback, by the host's proxies and settings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ready.images.build_settings import Host
from ready.images.indexes import images_without_indexes, index_asker, needed_indexes
from ready.images.sources import choose_all, without_builds

RECIPES = {"redis": {"ref": "ready/redis:7-abc", "suite": "bookworm", "pip": True}}
IMAGE: dict[str, Any] = {"version": "7", "data_format": {"build": "rdb"}, "without": "redis_backend: none"}

#: What the last index was sent as a login at a proxy, for each question.
logins: list[str | None] = []


@contextmanager
def index(answer: Callable[[str], int]) -> Iterator[tuple[str, list[str]]]:
    """Serve what `answer` says of each path; give the address and what is asked for."""
    asked: list[str] = []
    logins.clear()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(self.path)
            logins.append(self.headers.get("Proxy-Authorization"))
            self.send_response(code := answer(self.path))
            if code == 302:
                self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def host(debian: str, pip: str, **environ: str) -> Host:
    """Return a host with one Debian mirror and one index of pip's."""
    texts = {
        "/etc/apt/sources.list": f"deb {debian}/debian bookworm main\n",
        "/etc/pip.conf": f"[global]\nindex-url = {pip}/simple\n",
    }
    return Host(read=texts.get, glob=lambda _: [], environ=environ, home="/nowhere", apt_config=lambda: "")


def why(its: Host) -> dict[str, list[str]]:
    """Return why redis, which is to be built, can't be."""
    return images_without_indexes(
        {"redis": {}}, [{"item": "base", "image": {}}, {"item": "redis", "image": {}}], RECIPES, its, 5
    )


def test_both_answer() -> None:
    """Each is asked once, for what a build asks it first; a login that was not sent is an answer."""
    with index(lambda path: 401 if "simple" in path else 200) as (address, asked):
        assert why(host(address, address.replace("//", "//user:only-here@"))) == {}
    assert asked == ["/debian/dists/bookworm/InRelease", "/simple/pip/"]


def test_what_does_not_answer_is_named() -> None:
    """Without the login that its address holds."""
    with index(lambda _: 200) as (address, _):
        found = why(host(address, "http://user:only-here@127.0.0.1:9"))
    [reason] = found["redis"]
    assert reason.startswith("package index http://127.0.0.1:9/simple/pip/: ")
    assert "refused" in reason
    assert "only-here" not in reason


@pytest.mark.parametrize("code", [404, 407, 503])
def test_an_answer_that_is_none(code: int) -> None:
    """A mirror without the release, a proxy that does not let through, a gateway without the server."""
    with index(lambda _: code) as (address, _):
        found = why(host(address, address))
    assert found["redis"][0] == f"package index {address}/debian/dists/bookworm/InRelease: it answers {code}"
    assert len(found["redis"]) == 2


@pytest.mark.parametrize("ours", ["", "127.0.0.1,index.test.invalid"])
def test_proxy(monkeypatch: pytest.MonkeyPatch, ours: str) -> None:
    """The host's own is used, but for what it says to ask directly; this process's exceptions are not its."""
    monkeypatch.setenv("no_proxy", ours)
    with index(lambda _: 200) as (address, asked):
        far = "http://index.test.invalid"
        assert why(host(far, far, http_proxy=address)) == {}
        assert asked[0] == f"{far}/debian/dists/bookworm/InRelease"
        assert why(host(far, far, http_proxy=address.replace("//", "//user:only-here@"))) == {}
        assert logins == [None, None, "Basic dXNlcjpvbmx5LWhlcmU=", "Basic dXNlcjpvbmx5LWhlcmU="]
        assert why(host(address, address, http_proxy="http://127.0.0.1:9", no_proxy="127.0.0.1")) == {}
        assert "refused" in why(host(address, address, http_proxy="http://127.0.0.1:9"))["redis"][0]


def test_what_is_an_answer_all_the_same() -> None:
    """A redirection, wherever it leads; and nobody is refused for a proxy that can't be asked here."""
    with index(lambda _: 302) as (address, asked):
        assert why(host(address, address)) == {}
        assert len(asked) == 2
    assert why(host("http://index.test.invalid", "http://index.test.invalid", all_proxy="socks5h://127.0.0.1:9")) == {}


def test_what_is_there_needs_no_index() -> None:
    """Nor does what comes from elsewhere; what has no recipe can't be built whatever answers."""
    nowhere = host("http://127.0.0.1:9", "http://127.0.0.1:9")
    assert images_without_indexes({"redis": {}}, [{"item": "redis", "image": {"id": "x"}}], RECIPES, nowhere, 5) == {}
    assert images_without_indexes({"redis": {}}, [], RECIPES, nowhere, 5) == {}
    found = images_without_indexes({"ai": {}}, [{"item": "ai", "image": {}}], RECIPES, nowhere, 5)
    assert found == {"ai": ["no such image recipe: images/ai"]}


def test_pip_is_asked_where_the_recipe_needs_it() -> None:
    """And where a file names an index."""
    named, unnamed = {"pip.conf": "[global]\nindex-url = http://i.test/simple/\n"}, {"pip.conf": "[global]\n"}
    debian = ["http://m.test/debian/dists/trixie/InRelease"]
    recipe = {"suite": "trixie", "pip": True}
    assert needed_indexes(recipe, named, ["http://m.test/debian/", "http://n.test"]) == [
        *debian,
        "http://i.test/simple/pip/",
    ]
    assert needed_indexes(recipe, unnamed, ["http://m.test/debian"]) == debian
    assert needed_indexes(recipe | {"pip": False}, named, ["http://m.test/debian"]) == debian


def test_a_bundle_that_does_not_vouch(tmp_path: Any) -> None:
    """An address that is no HTTP at all has a reason, too."""
    ask = index_asker({"env": "", "ca.crt": ""}, 5)
    with index(lambda _: 200) as (address, _):
        assert ask(address.replace("http:", "https:"))


def test_a_build_that_cannot_work_is_refused() -> None:
    """With what else was tried, and what the stack does without."""
    choices = choose_all(None, {"redis": IMAGE}, {"redis": "auto"}, "", {}, {}, "none is listed", None, {}, RECIPES)
    assert (choices["redis"]["source"], choices["redis"]["faults"]) == ("build", [])
    assert without_builds(choices, {}) == choices
    found = without_builds(choices, {"redis": ["package index x: refused"]})["redis"]
    assert found["source"] is None
    [fault] = found["faults"]
    assert fault == (
        "redis: no image source works. registry: no public registry holds it, and container_images_registry_mirror is "
        "not set; archive: none is listed; build: package index x: refused. Next: make one of them work, or allow "
        "another with image_source, or set redis_backend: none"
    )
