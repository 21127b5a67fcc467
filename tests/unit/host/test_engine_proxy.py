"""The proxy of a Docker daemon: what is written, when, and that its password goes nowhere else."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ready.host import engine_setup
from ready.host.engine_proxy import (
    DEFAULTS,
    DROP_IN,
    LINE,
    PROXY_FILE,
    UNIT,
    WINDOWS_FILE,
    ProxyError,
    proxy_facts,
    proxy_file,
    proxy_plan,
)

from tests.unit.host.test_engine_setup import WANTED
from tests.unit.host.test_engine_setup import facts as host_facts

ROOT = Path(__file__).resolve().parents[3]
URL = "http://ready:s3cr%40t$x`y@proxy.corp:3128"
NO_PROXY = "localhost,127.0.0.1,.corp"


def sha(text: str) -> str:
    """Return a text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()


def test_shell_reads_the_very_values(tmp_path: Path) -> None:
    """Nothing in them is run or replaced; systemd, which is not here, keeps single quotes the same way."""
    file = tmp_path / "proxy.env"
    file.write_text(proxy_file(URL, NO_PROXY))
    line = LINE.replace(PROXY_FILE, str(file))
    done = subprocess.run(
        ["sh", "-ec", f"{line}\nenv"], capture_output=True, text=True, check=True, env={"PATH": "/bin"}
    )
    found = dict(entry.partition("=")[::2] for entry in done.stdout.splitlines())
    assert (found["HTTP_PROXY"], found["HTTPS_PROXY"], found["NO_PROXY"]) == (URL, URL, NO_PROXY)
    file.unlink()
    subprocess.run(["sh", "-ec", line], check=True)


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        ("proxy:3128", ""),
        ("ftp://proxy", ""),
        ("http://", ""),
        ("http://[", ""),
        ("http://a:it's@p", ""),
        ("http://p", "a b"),
        ("http://p\n", ""),
    ],
)
def test_what_is_no_proxy_is_refused(url: str, no_proxy: str) -> None:
    """Without saying it: it may hold a password."""
    with pytest.raises(ProxyError) as caught:
        proxy_file(url, no_proxy)
    assert "it's" not in str(caught.value)


def found(**files: str) -> dict[str, Any]:
    """Return the facts of a host with these files."""
    paths = {"own": PROXY_FILE, "windows": WINDOWS_FILE, "unit": DROP_IN, "defaults": DEFAULTS}
    return proxy_facts({paths[name]: text for name, text in files.items()}.get)


def test_facts_hold_no_text_of_a_proxy() -> None:
    """They are printed at -vvv."""
    seen = found(own=proxy_file(URL, NO_PROXY), windows=proxy_file(URL, ""), defaults=f"# theirs\n{LINE}\n")
    assert seen == {
        "windows": sha(proxy_file(URL, "")),
        "own": sha(proxy_file(URL, NO_PROXY)),
        "unit": False,
        "script": True,
    }


@pytest.mark.parametrize(
    ("files", "proxy", "method", "expected"),
    [
        ({}, "auto", "systemd", {}),
        ({}, "", "service", {}),
        ({}, URL, "systemd", {"source": "given", "write": True, "unit": True}),
        ({}, URL, "dockerd", {"source": "given", "write": True, "script": True}),
        ({"own": proxy_file(URL, NO_PROXY), "unit": UNIT}, URL, "systemd", {"source": "given"}),
        ({"own": proxy_file(URL, NO_PROXY), "defaults": LINE}, URL, "service", {"source": "given"}),
        ({"own": proxy_file("http://old", ""), "unit": UNIT}, URL, "systemd", {"source": "given", "write": True}),
        ({"windows": "x"}, "auto", "systemd", {"source": "windows", "write": True, "unit": True}),
        ({"windows": "x", "own": "x", "unit": UNIT}, "auto", "systemd", {"source": "windows"}),
        ({"windows": "x", "own": "y", "unit": UNIT}, "auto", "systemd", {"source": "windows", "write": True}),
        ({"own": "x", "unit": UNIT}, "auto", "systemd", {"remove": True}),
        ({"windows": "x", "own": "x", "unit": UNIT}, "", "systemd", {"remove": True}),
        ({"own": "x", "unit": "of somebody else"}, URL, "systemd", {"source": "given", "write": True, "unit": True}),
    ],
)
def test_what_is_done(files: dict[str, str], proxy: str, method: str, expected: dict[str, Any]) -> None:
    """Once; again when it differs; and taken away when nobody asks for it any more."""
    nothing = {"source": "", "write": False, "remove": False, "unit": False, "script": False}
    result = proxy_plan(found(**files), proxy, NO_PROXY, method)
    assert result == nothing | expected | {"differs": bool(set(expected) - {"source"})}


def test_daemon_is_restarted_only_for_a_changed_proxy() -> None:
    """And one that is not ours is never touched."""
    daemon = engine_setup.setup_plan(host_facts(), WANTED)["daemon_json"]["content"]
    ours = {"reachable": True, "managed": True, "daemon_json": daemon}
    assert engine_setup.setup_plan(host_facts(**ours), WANTED, proxy=URL)["start"] == "restart"
    done = found(own=proxy_file(URL, NO_PROXY), defaults=LINE)
    again = engine_setup.setup_plan(host_facts(**ours, proxy=done), WANTED, proxy=URL, no_proxy=NO_PROXY)
    assert (again["start"], again["proxy"]["differs"]) == ("none", False)
    assert engine_setup.setup_plan(host_facts(**ours, proxy=done), WANTED, proxy="")["start"] == "restart"
    theirs = engine_setup.setup_plan(host_facts(reachable=True), WANTED, proxy=URL)
    assert (theirs["start"], theirs["proxy"]["differs"]) == ("none", False)
    assert "s3cr" not in str(engine_setup.setup_plan(host_facts(**ours), WANTED, proxy=URL))


def tasks(path: str) -> list[dict[str, Any]]:
    """Return a task file's tasks, those of blocks too."""
    found: list[dict[str, Any]] = []
    for task in yaml.safe_load((ROOT / "roles" / path).read_text()):
        found += [task, *task.get("block", [])]
    return found


def test_tasks_that_hold_a_proxy_are_in_no_log() -> None:
    """`no_log` covers -vvv and --diff."""
    copies = [
        task
        for task in tasks("docker_engine/tasks/proxy.yml")
        if "ready-proxy.env" in str(task.get("ansible.builtin.copy"))
    ]
    assert [task["no_log"] for task in copies] == [True, True]
    secret = [task for file in ("plan", "inside") for task in tasks(f"wsl2/tasks/{file}.yml") if "no_log" in task]
    assert [task["no_log"] for task in secret] == ["{{ wsl2_proxy is search('@') }}"] * 2
