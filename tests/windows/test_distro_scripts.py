"""The two shell scripts that run in the distro, in a real container, as the roles send them."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ready.stack import schema
from ready.windows import docker_desktop, wsl
from ready.windows.config import ini_values

from tests.simulator.conditions import host_in
from tests.simulator.handlers.state import windows_state
from tests.simulator.inside import container_inside
from tests.simulator.inventory import DISTRO, INVENTORY, LOCATION
from tests.simulator.model import Windows
from tests.waiting import until


def encoded(name: str) -> str:
    """Return a script of scripts/linux, base64."""
    path = Path(__file__).resolve().parents[2] / "scripts" / "linux" / f"{name}.sh"
    return base64.b64encode(path.read_bytes()).decode()


SCRIPT = encoded("distro_state")
#: As roles/wsl2/tasks/inside.yml has it: no quotes can pass.
CONFIGURE = f"set -f;IFS=;eval $(echo {encoded('distro_configure')}|base64 -d)"
ASKED = {"Distribution": DISTRO, "Location": LOCATION, "Inside": "start", "InsideScript": SCRIPT}
OPTIONS = {key.removeprefix("wsl2_"): value for key, value in INVENTORY.items() if key.startswith("wsl2_")}
OPTIONS.pop("retry_delay")
OPTIONS |= {"distribution": DISTRO, "location": LOCATION, "user": "ready", "password_given": True}


@pytest.fixture
def host() -> Iterator[Windows]:
    """A host whose distro, just made, is a real container."""
    found = host_in("with-wsl", "pc1", make_inside=container_inside(f"scripts-{os.getpid()}"))
    try:
        found.add_distro(DISTRO, LOCATION)
        found.files[f"{LOCATION}.ready.json"] = json.dumps({"distribution": DISTRO}).encode()
        yield found
    finally:
        found.close()


def state_of(host: Windows, **other: Any) -> dict[str, Any]:
    """Return the state, with what the real script says of the container in it."""
    state: dict[str, Any] = json.loads(json.dumps(windows_state(host, ASKED | other)))
    assert schema.faults(state, "windows_state.schema.json") == []
    return state


def clocks(host: Windows) -> str:
    """Return the container's clock between two looks at the distro's; empty where no container showed one."""
    return str(state_of(host)["inside"]["values"].get("container_time", ""))


def test_distro_becomes_what_is_asked_for(host: Windows) -> None:
    """Configured once by the real script; then the real look finds nothing to do; then all of it goes again."""
    host.proxy = "proxy.corp:3128"
    host.certificates = [
        {"thumbprint": "AB12", "subject": "CN=x", "not_after": "2030-01-01T00:00:00.000Z", "der": "MAA="}
    ]
    inside: Any = host.registered[0].inside
    inside.shell("printf '# of anna\\n[automount]\\nroot=/win\\n' > /etc/wsl.conf", b"")
    given = OPTIONS | {"proxy": "windows", "no_proxy": "localhost"}
    asked = {"CaThumbprints": ["AB12"]}
    plan = wsl.plan(state_of(host, **asked), **given)
    assert plan["restart"]
    code, out, err = inside.shell(CONFIGURE, plan["orders"].encode())
    assert code == 0, err
    changed = out.decode().splitlines()
    assert changed[:2] == ["user ready", "file /etc/wsl.conf"]
    assert changed[-1] == "certificates"
    assert len(changed) == len(plan["orders"].splitlines())
    found = state_of(host, **asked)["inside"]["values"]
    assert found["wsl_conf"].startswith("# of anna\n[automount]\nroot=/win\n")
    assert ini_values(found["wsl_conf"])["boot"] == {"systemd": "true"}
    assert wsl.plan(state_of(host, **asked), **given)["orders"] == ""
    code, again, _ = inside.shell(CONFIGURE, plan["orders"].encode())
    assert (code, again) == (0, b"certificates\n")
    assert inside.distro.sh("su ready -c 'sudo -n id -u' 2>/dev/null")[1].split() == ["0"]
    assert "http_proxy=http://proxy.corp:3128" in inside.distro.sh("sh -lc env")[1]
    left = inside.distro.sh("stat -c %a /etc/ready/windows-proxy.env; cat /etc/ready/windows-proxy.env")[1].split()
    assert left[:2] == ["600", "HTTP_PROXY='http://proxy.corp:3128'"]
    host.proxy, host.certificates = "", []
    code, gone, _ = inside.shell(CONFIGURE, wsl.plan(state_of(host), **given)["orders"].encode())
    assert code == 0
    assert sorted(line.split()[0] for line in gone.decode().splitlines()) == ["certificates"] + ["remove"] * 4
    assert wsl.plan(state_of(host), **given)["orders"] == ""


def test_integration_is_seen_from_inside(host: Windows) -> None:
    """A real daemon behind the socket; and a link that dangles when Docker Desktop is down."""
    inside: Any = host.registered[0].inside
    assert docker_desktop.integration(state_of(host)).found == "neither docker nor its socket"
    inside.integrate(on=True, known=True)
    seen = docker_desktop.integration(state_of(host))
    assert seen.verdict == "pass", seen
    # Whichever container of this daemon it asks: one that another test removes, or that is starved, shows no clock.
    before, shown, after = map(int, until(lambda: clocks(host), "a container's clock").split())
    assert before <= shown <= after
    inside.integrate(on=False, known=True)
    assert "leads nowhere" in docker_desktop.integration(state_of(host)).found


def test_unknown_orders_are_refused(host: Windows) -> None:
    """Nothing is guessed."""
    inside: Any = host.registered[0].inside
    code, _, err = inside.shell(CONFIGURE, b"format C:\n")
    assert (code, err) == (64, b"unknown order format\n")


def test_bootstrap_merges_wsl_conf(host: Windows) -> None:
    """An image that ships one gets systemd and the user all the same; what else it says stays, and a second run too."""
    text = (Path(__file__).resolve().parents[2] / "bootstrap.ps1").read_text()
    script = text.split("@'\n")[1].split("\n'@")[0].replace("READY_USER", "anna")
    inside: Any = host.registered[0].inside
    inside.shell("ln -sf /bin/true /usr/local/bin/git; rm -f /etc/wsl.conf; mkdir -p /etc/sudoers.d", b"")
    for before, after in (
        (None, "\n[boot]\nsystemd=true\n\n[user]\ndefault=anna\n"),
        (
            "# ours\n[Boot]\nsystemd = false\ncommand=x\n[automount]\nroot=/win",
            "# ours\n[Boot]\nsystemd=true\ncommand=x\n[automount]\nroot=/win\n\n[user]\ndefault=anna\n",
        ),
        ("[user]\n[boot]\n", "[user]\ndefault=anna\n[boot]\nsystemd=true\n"),
    ):
        if before is not None:
            inside.shell("cat > /etc/wsl.conf", before.encode())
        for _ in range(2):
            code, _out, err = inside.shell("sh -s", script.encode())
            assert code == 0, err
            assert inside.shell("cat /etc/wsl.conf", b"")[1].decode() == after
