"""The task that holds a distro, over the real protocol: stopped and started by verbs, renewed by a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.simulator.handlers.scripts import keep_tasks, native_run
from tests.simulator.inventory import DISTRO
from tests.simulator.model import Windows
from tests.windows.pcs import site_of

KEEP = f"keep {DISTRO}"


def terminate(host: Windows) -> None:
    """End the distro from outside."""
    native_run(host, {"Program": "wsl", "Arguments": ["--terminate", DISTRO]})


def test_stop_and_start(tmp_path: Path) -> None:
    """The verbs: the distro is down and stays so, then its task holds it again; where it does, nothing is changed."""
    with site_of(tmp_path, {"pc1": "ready", "pc2": "ready"}) as site:
        one, two = site.hosts.values()
        stopped = site.run("windows_stop", "--limit", "pc1")
        assert stopped.code == 0, stopped.why()
        one.minute_later()
        assert (one.registered[0].running, one.tasks[KEEP].state) == (False, "Ready")
        started = site.run("windows_start")
        assert started.code == 0, started.why()
        assert [started.count(host, "changed") for host in ("pc1", "pc2")] == [1, 0], started.text[-3000:]
        assert (one.registered[0].running, one.tasks[KEEP].holding, two.changes()) == (True, True, [])


def test_run_renews_and_respects_the_task(tmp_path: Path) -> None:
    """One that is held back stays so; one of an earlier version is replaced; Docker Desktop is stopped around it."""
    with site_of(tmp_path, {"held": "ready", "old": "ready", "upgrade": "docker-desktop-old"}) as site:
        held, old, upgrade = site.hosts.values()
        keep_tasks(held, {"Distribution": DISTRO, "Tasks": [KEEP], "Wanted": "hold", "By": "stop"})
        terminate(held)
        old.tasks[KEEP].execute = "C:\\Program Files\\WSL\\wsl.exe"
        old.tasks[KEEP].arguments = f"-d {DISTRO} -u root --exec /bin/sleep infinity"
        terminate(old)
        inside: Any = upgrade.registered[0].inside
        inside.slow = True  # the engine answers before the distro sees it
        assert (old.tasks[KEEP].state, old.registered[0].running) == ("Ready", False)
        site.forget()
        run = site.run("windows", docker_desktop_allow_restart=True)
        assert f"held back by C:\\Program Files\\Ready\\{DISTRO}.hold" in run.message("held"), run.why()
        assert (held.changes(), held.registered[0].running) == ([], False)
        assert [run.count(host, "failed") for host in ("old", "upgrade")] == [0, 0], run.why()
        for host in (old, upgrade):
            assert (host.tasks[KEEP].state, host.tasks[KEEP].holding) == ("Running", True)
            assert host.tasks[KEEP].script.endswith("distro_keep.ps1")
            terminate(host)
            host.minute_later()
            assert host.registered[0].running
        asked = [action.args for action in upgrade.record if action.name in ("keep_tasks", "docker_desktop_stop")]
        assert [item.get("Wanted", item.get("clients")) for item in asked] == ["hold", 0, "run"]
        assert upgrade.docker
        assert (upgrade.docker.version, upgrade.docker.running) == ("4.56.0", True)


def test_pc_that_goes_away_while_its_task_is_made_says_so(tmp_path: Path) -> None:
    """Of either role: what no_log leaves of a lost connection says nothing; the next run ends what was begun."""
    with site_of(tmp_path, {"keep": "ready", "follow": "ready"}) as site:
        for host in site.hosts.values():
            host.faults["lost_after"] = "win_scheduled_task"
        site.hosts["keep"].tasks[KEEP].arguments = f"-d {DISTRO} -u root --exec /bin/sleep infinity"
        allow = [{"name": "ssh", "port": 2222, "remote": ["192.168.1.0/24"], "native": True}]
        of = {"follow": {"windows_network_allow": allow}}
        lost = site.run("windows", of=of)
        assert lost.code in {2, 4}, lost.why()
        for name in site.hosts:
            assert "lost_after" not in site.hosts[name].faults, lost.why()
            assert "Failed to connect" in lost.message(name), lost.why()
        last = lost.text[lost.text.index("Fleet of") :]
        assert [f"{name}: Failed to connect" in last for name in site.hosts] == [True, True], last
        site.come_back()
        again = site.run("windows", of=of)
        assert again.code == 0, again.why()
        assert [host.tasks[KEEP].holding for host in site.hosts.values()] == [True, True]
