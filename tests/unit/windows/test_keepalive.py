"""The task that keeps a distro running, and what happens in it by schedule."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ready.windows import keepalive, network, portproxy_task, removal, wsl
from ready.windows.network_options import Options
from ready.windows.scheduled_tasks import holders

from tests.simulator.conditions import host_in
from tests.simulator.handlers.scripts import keep_tasks, native_run
from tests.simulator.inventory import DISTRO
from tests.simulator.model import Windows
from tests.simulator.task import Task
from tests.unit.windows.test_plans import NETWORK, WSL, failures, state_of

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "windows"
INCLUDE = "ansible.builtin.include_tasks"
KEEP = f"keep {DISTRO}"
#: What the task ran before it ran a script.
WSL_EXE, OLD = "C:\\Program Files\\WSL\\wsl.exe", f"-d {DISTRO} -u root --exec /bin/sleep infinity"


def ask(host: Windows, wanted: str, by: str = "stop") -> dict[str, Any]:
    """Run keep_tasks as `windows stop` and `windows start` do, or as a run does."""
    tasks = holders(state_of(host, Inside="never"), DISTRO)
    return keep_tasks(host, {"Distribution": DISTRO, "Tasks": tasks, "Wanted": wanted, "By": by})


def end(host: Windows, *words: str) -> bool:
    """Run wsl.exe with these words, and say whether the distro runs then."""
    native_run(host, {"Program": "wsl", "Arguments": list(words)})
    return host.registered[0].running


def test_schedules_in_the_distros_of_a_host() -> None:
    """Of its own alone, and of those that run."""
    distros = {
        "pc1": {"backup_schedule": "daily"},
        "pc1-wsl": {"ansible_wsl_windows_host": "pc1", "backup_schedule": "daily", "backup_drill_schedule": "weekly"},
        "pc2-wsl": {"ansible_wsl_windows_host": "pc2", "backup_schedule": "hourly"},
        "pc1-two": {"ansible_wsl_windows_host": "pc1", "backup_schedule": "never"},
        "server": {"backup_schedule": "daily"},
    }
    assert wsl.schedules("pc1", distros) == [
        "pc1-wsl has backup_schedule daily",
        "pc1-wsl has backup_drill_schedule weekly",
    ]
    assert failures(host_in("fresh"), keepalive=False) == ""


def test_task_that_windows_would_end_is_made_anew() -> None:
    """Three days is what Windows gives a task that says nothing."""
    host = host_in("ready")
    host.tasks[f"keep {DISTRO}"].time_limit = "PT72H"
    assert wsl.plan(state_of(host), **WSL)["keepalive_task"]["needed"]


@pytest.mark.parametrize(
    ("key", "value"), [("user", "PC1\\anna"), ("execute", "C:\\Windows\\System32\\wsl.exe"), ("state", "Disabled")]
)
def test_task_of_another_account_or_program_is_made_anew(key: str, value: str) -> None:
    """And one that somebody disabled; Windows may give the account without its domain, or as its SID."""
    state = state_of(host_in("ready"))
    (task,) = state["tasks"]
    for same in ("ready", "pc1\\Ready", state["account"]["sid"]):
        assert not wsl.plan({**state, "tasks": [{**task, "user": same}]}, **WSL)["keepalive_task"]["needed"]
    assert wsl.plan({**state, "tasks": [{**task, key: value}]}, **WSL)["keepalive_task"]["needed"]


def test_task_that_waits_is_started() -> None:
    """State Ready is one that holds nothing; the password is not needed for a start."""
    state = state_of(host_in("ready"))
    (task,) = state["tasks"]
    assert task["state"] == "Running"
    assert wsl.plan(state, **WSL)["steps"] == []
    ended = {**task, "state": "Ready", "last_result": 0xFFFFFFFF}
    plan = wsl.plan({**state, "tasks": [ended]}, **WSL | {"password_given": False})
    assert plan["steps"] == [f"start the task Ready\\{KEEP}"]
    task = plan["keepalive_task"]
    assert (task["needed"], task["make"], task["write_script"]) == (True, False, False)
    (row,) = [check for check in plan["checks"] if check["id"] == "keepalive"]
    assert (row["found"], row["expected"]) == ("Ready, last result 0xffffffff", "Running")


@pytest.mark.parametrize("words", [("--terminate", DISTRO), ("--shutdown",)])
def test_task_of_an_earlier_version_stays_ended(words: tuple[str, ...]) -> None:
    """Windows restarts it never, whatever its settings say; ours is made in its place."""
    host = host_in("ready")
    old = host.tasks[KEEP] = Task(KEEP, host.account, WSL_EXE, OLD, "PT0S", host.tasks[KEEP].password, ("boot",))
    host.run_task(old)
    assert holders(state_of(host), DISTRO) == [KEEP]
    assert not end(host, *words)
    host.minute_later()
    assert (old.state, old.last_result, host.registered[0].running) == ("Ready", 0xFFFFFFFF, False)
    assert wsl.plan(state_of(host, Inside="never"), **WSL)["keepalive_task"]["make"]


@pytest.mark.parametrize("words", [("--terminate", DISTRO), ("--shutdown",)])
def test_script_starts_the_distro_again_unless_it_is_held_back(words: tuple[str, ...]) -> None:
    """After its pause; with the mark there not even at a reboot, and not by a look."""
    host = host_in("ready")
    assert not end(host, *words)
    host.minute_later()
    assert host.registered[0].running
    assert keepalive.fault(ask(host, "hold"), "pc1") == ""
    assert not end(host, *words)
    host._reboot(0)
    host.minute_later()
    assert (host.tasks[KEEP].state, host.registered[0].running) == ("Running", False)
    assert state_of(host, Inside="start")["inside"] is None
    assert not host.registered[0].running
    assert keepalive.fault(ask(host, "run"), "pc1") == ""
    assert host.registered[0].running


def test_held_back_is_said_and_left_alone() -> None:
    """Somebody is at work: the next run starts nothing and says how to let go."""
    host = host_in("ready")
    ask(host, "hold")
    assert f"held back by C:\\Program Files\\Ready\\{DISTRO}.hold" in failures(host)
    assert "Next: ./ready windows start" in failures(host)
    assert not wsl.plan(state_of(host), **WSL)["keepalive_task"]["needed"]


def test_run_that_was_cut_off_is_continued_by_the_next() -> None:
    """Its mark is no refusal: the task is started again; until then a look may start the distro."""
    host = host_in("ready")
    ask(host, "hold", "run")
    assert not end(host, "--terminate", DISTRO)
    state = state_of(host, Inside="start")
    assert state["inside"] is not None
    plan = wsl.plan(state, **WSL | {"password_given": False})
    assert failures(host) == ""
    assert plan["steps"] == [f"start the task Ready\\{KEEP}"]
    (row,) = [check for check in plan["checks"] if check["id"] == "keepalive"]
    assert row["found"] == "Ready, held back by a run that has not ended"
    assert keepalive.fault(ask(host, "run", "run"), "pc1") == ""
    assert wsl.plan(state_of(host), **WSL)["steps"] == []


def test_mark_of_a_run_that_was_cut_off_does_not_count_for_ever() -> None:
    """Nobody may come again: after a reboot the task waits half an hour at most, then it holds the distro."""
    host = host_in("ready")
    ask(host, "hold", "run")
    end(host, "--terminate", DISTRO)
    host._reboot(0)
    host.minute_later()
    assert (host.tasks[KEEP].state, host.registered[0].running) == ("Running", False)
    assert wsl.plan(state_of(host), **WSL)["keepalive_task"]["needed"]  # it runs, and is held back
    host.half_an_hour_later()
    assert host.registered[0].running
    ask(host, "hold")
    end(host, "--terminate", DISTRO)
    host._reboot(0)
    host.half_an_hour_later()
    assert not host.registered[0].running


def test_run_does_not_take_the_mark_of_stop_away() -> None:
    """It says so, and what to do; `windows stop` makes the mark of a run its own, and `windows start` removes both."""
    host = host_in("ready")
    ask(host, "hold")
    ask(host, "hold", "run")
    end(host, "--terminate", DISTRO)
    message = keepalive.fault(ask(host, "run", "run"), "pc1")
    assert message.startswith("pc1: tasks that hold the distro: found them held back by a mark of `windows stop`")
    assert message.endswith("Next: ./ready windows start.")
    assert not host.registered[0].running
    assert "held back by" in failures(host, keepalive=False)  # whatever the inventory wants: somebody is at work
    ask(host, "run")
    assert host.registered[0].running
    ask(host, "hold", "run")
    assert keepalive.stop_plan(state_of(host), DISTRO)["hold"]
    assert keepalive.start_plan(state_of(host), DISTRO)["run"]


@pytest.mark.parametrize("script", ["distro_keep", "portproxy_follow", "keep_tasks"])
def test_scripts_know_both_marks(script: str) -> None:
    """By the same names; those that tasks run forget a run's after half an hour."""
    text = (SCRIPTS / f"{script}.ps1").read_text()
    body = text.partition("#>")[2]
    assert {".hold", ".busy"} <= set(re.findall(r"\.(?:hold|busy)\b", body))
    assert ("TotalMinutes) -lt 30" in body) is (script != "keep_tasks")
    assert keepalive.marker_path("x").endswith("x.hold")
    assert keepalive.marker_path("x", keepalive.BUSY).endswith("x.busy")


@pytest.mark.parametrize(
    "path",
    [
        "wsl2/tasks/restart_distro.yml",
        "docker_desktop/tasks/stop.yml",
        "windows_task/tasks/script.yml",
    ],
)
def test_what_a_run_holds_back_runs_again_when_it_fails(path: str) -> None:
    """Else nothing holds the distro until somebody runs it again."""
    place = SCRIPTS.parents[1] / "roles" / path
    tasks = yaml.safe_load(place.read_text())

    def wanted(items: list[dict[str, Any]]) -> list[str]:
        files = [place.parent / item[INCLUDE] for item in items if INCLUDE in item]
        inner = [item for file in files for item in yaml.safe_load(file.read_text())]
        asked = [item.get("windows_script", {}) for item in [*items, *inner]]
        return [item["parameters"]["Wanted"] for item in asked if item.get("id") == "keep_tasks"]

    assert "hold" not in wanted(tasks)
    (block,) = [item for item in tasks if "hold" in wanted(item.get("block", []))]
    assert "run" in wanted([*block.get("rescue", []), *block.get("always", [])])


def test_task_that_is_gone_is_no_task_that_runs() -> None:
    """Nothing holds the distro then, and nothing said so."""
    host = host_in("ready")
    result = keep_tasks(host, {"Distribution": DISTRO, "Tasks": [KEEP, "keep gone"], "Wanted": "run"})
    assert "found keep gone not there; expected Running. Next: ./ready windows." in keepalive.fault(result, "pc1")


def test_stop_and_start_change_nothing_twice() -> None:
    """Each says what is left to do."""
    host = host_in("ready")
    todo = keepalive.stop_plan(state_of(host), DISTRO)
    assert (todo["tasks"], todo["hold"], todo["terminate"], todo["fault"]) == ([KEEP], True, True, "")
    assert not keepalive.start_plan(state_of(host), DISTRO)["run"]
    ask(host, "hold")
    end(host, "--terminate", DISTRO)
    todo = keepalive.stop_plan(state_of(host), DISTRO)
    assert (todo["hold"], todo["terminate"]) == (False, False)
    assert keepalive.start_plan(state_of(host), DISTRO)["run"]
    ask(host, "run")
    assert not keepalive.start_plan(state_of(host), DISTRO)["run"]
    none = keepalive.stop_plan(state_of(host_in("with-wsl")), DISTRO)["fault"]
    assert none == f"found no distro {DISTRO} of PC1\\ready; expected one. Next: ./ready windows"


@pytest.mark.parametrize(
    ("last", "state", "words"),
    [
        (0xFFFFFFFF, "Ready", ["Ready, last result 0xffffffff", "wsl --shutdown"]),
        (0x8007052E, "Ready", ["last result 0x8007052e", "wsl2_owner_password"]),
        (-2147023570, "Ready", ["last result 0x8007052e", "wsl2_owner_password"]),
        (0x80070569, "Ready", ["log on as a batch job"]),
        (0x41303, "Queued", ["Queued", "power"]),
        (None, "Ready", ["found keep x Ready;", "tab History"]),
    ],
)
def test_task_that_does_not_run_is_named(last: int | None, state: str, words: list[str]) -> None:
    """With its state, its last result, and what that means."""
    result = {"wanted": "run", "tasks": [{"name": "keep x", "state": state, "last_result": last}], "holders": []}
    message = keepalive.fault({**result, "held": False, "missing": [], "waited": 60.1}, "pc1")
    assert message.startswith("pc1: tasks that hold the distro: found keep x ")
    assert [word for word in words if word not in message] == []


def test_task_that_holds_nothing_is_named() -> None:
    """And a wsl.exe that does not end."""
    host = host_in("ready")
    host.faults["start_code"] = "Wsl/Service/CreateInstance/CreateVm/HCS/0x80370102"
    end(host, "--terminate", DISTRO)
    assert "found them running and no wsl.exe of theirs" in keepalive.fault(ask(host, "run"), "pc1")
    host = host_in("ready")
    host.faults["holder_stays"] = True
    assert "still running (pid 9000)" in keepalive.fault(ask(host, "hold"), "pc1")


def test_only_tasks_of_the_distro_hold_it() -> None:
    """A name that begins alike is another one; a task that somebody disabled starts nothing."""
    state = state_of(host_in("ready"))
    (task,) = state["tasks"]
    other = {**task, "name": "keep other", "arguments": keepalive.task_arguments(f"{DISTRO}-2")}
    follow = {**task, "name": "forward ready", "arguments": portproxy_task.task_arguments(Options(**NETWORK))}
    off = {**task, "name": "keep off", "state": "Disabled"}
    assert holders({**state, "tasks": [task, other, follow, off]}, DISTRO) == [KEEP, "forward ready"]


def test_destroy_takes_the_script_and_the_mark() -> None:
    """With the distro; the script stays for another distro's task, and all of it while the distro stays."""
    host = host_in("ready")
    ask(host, "hold")
    script = "C:\\Program Files\\Ready\\distro_keep.ps1"
    mark, busy = (f"C:\\Program Files\\Ready\\{DISTRO}.{ending}" for ending in ("hold", "busy"))
    state = state_of(host)
    gone = removal.plan(state, stack="ready", distribution=DISTRO, distro=True)
    assert (gone["files"], gone["holders"]) == ([script, mark, busy], [KEEP])
    other = {**state, "tasks": [*state["tasks"], {**state["tasks"][0], "name": "keep other"}]}
    assert removal.plan(other, stack="ready", distribution=DISTRO, distro=True)["files"] == [mark, busy]
    fresh = removal.plan(state_of(host_in("ready")), stack="ready", distribution=DISTRO, distro=True)
    assert fresh["files"] == [script, busy]  # destroy itself holds the tasks back, after it has looked
    stays = removal.plan(state, stack="ready", distribution=DISTRO, distro=False)
    assert (stays["files"], stays["holders"]) == ([], [])


def test_portproxy_task_that_waits_is_started() -> None:
    """As the other task: one in state Ready follows nothing; one with an old script is started again with the new."""
    state = state_of(host_in("ready"))
    options = NETWORK | {"allow": [{"name": "x", "port": 22, "remote": ["10.0.0.0/8"], "native": True}]}
    right = {"name": "forward ready", "arguments": portproxy_task.task_arguments(Options(**options))}
    task = {**state["tasks"][0], **right}
    files = [{"name": portproxy_task.FOLLOW_SCRIPT, "sha256": options["script_sha256"]}]
    starts = {}
    for word, sums in (("Running", files), ("Ready", files), ("Running", [{**files[0], "sha256": "0" * 64}])):
        plan = network.plan({**state, "tasks": [{**task, "state": word}], "files": sums}, **options)
        starts[word, sums[0]["sha256"][0]] = (plan["portproxy_task"]["start"], plan["portproxy_task"]["make"])
    assert starts == {("Running", "f"): (False, False), ("Ready", "f"): (True, False), ("Running", "0"): (True, False)}


def test_one_pc_keeps_its_distro_when_the_last_window_closes() -> None:
    """By a task of its own, from each logon on; without one the databases stop after 15 seconds."""
    host = host_in("one-pc")
    task = host.tasks[KEEP]
    assert task.triggers == ("logon",)
    assert keepalive.task_arguments(DISTRO).partition("-File")[2] == task.arguments.partition("-File")[2]
    host.open_window()
    host.idle()
    assert host.registered[0].running
    host.windows.clear()
    host.idle()
    assert host.registered[0].running
    del host.tasks[KEEP]
    host.idle()
    assert not host.registered[0].running


@pytest.mark.parametrize(("said", "restart"), [("initializing\n", False), ("starting\n", False), ("offline\n", True)])
def test_systemd_on_its_way_up_is_not_asleep(said: str, restart: bool) -> None:
    """A distro that has just been started is not restarted."""
    host = host_in("ready")
    inside: Any = host.registered[0].inside
    inside.boot = [said]
    assert wsl.plan(state_of(host), **WSL)["restart"] is restart


def log_off_row(host: Windows) -> dict[str, Any]:
    """Return what is said about a log-off."""
    (row,) = [row for row in wsl.plan(state_of(host), **WSL)["checks"] if row["id"] == "logoff"]
    return dict(row)


def test_log_off_ends_what_was_first_used_at_the_desktop() -> None:
    """Whoever comes first after Windows' start decides: the task at boot, or a window."""
    host = host_in("ready")  # the task came first
    host.open_window()
    assert "session 0" in log_off_row(host)["found"]
    host.log_off()
    assert host.registered[0].running
    host = host_in("ready")
    keep_tasks(host, {"Distribution": DISTRO, "Tasks": [KEEP], "Wanted": "hold"})
    host._reboot(0)
    host.open_window()  # before the task
    keep_tasks(host, {"Distribution": DISTRO, "Tasks": [KEEP], "Wanted": "run"})
    row = log_off_row(host)
    assert (row["verdict"], "session 1" in row["found"], "starts it again" in row["found"]) == ("pass", True, True)
    host.log_off()
    assert (host.registered[0].running, host.tasks[KEEP].state) == (False, "Running")
    host.minute_later()
    assert (host.registered[0].running, host.wsl_session) == (True, 0)
    host.desktops = [{"sid": host.sid, "session": 2}]
    host.open_window()
    host.log_off()
    assert host.registered[0].running


def test_log_off_on_one_pc_stops_the_databases() -> None:
    """As its docs say: the task is of the desktop's session, and begins at the next logon."""
    host = host_in("one-pc")
    host.log_off()
    host.minute_later()
    assert (host.registered[0].running, host.tasks[KEEP].state) == (False, "Ready")


def test_log_off_without_a_task_is_said_with_the_next_step() -> None:
    """A distro that only windows hold."""
    host = host_in("ready")
    host.tasks.clear()
    host.wsl_session = None
    host.open_window()
    found = wsl.plan(state_of(host), **WSL | {"keepalive": False})["checks"]
    (row,) = [row for row in found if row["id"] == "logoff"]
    assert "a log-off ends the distro" in row["found"]
    assert "wsl2_keepalive to true" in row["next"]
    host.windows.clear()
    assert [row for row in wsl.plan(state_of(host), **WSL)["checks"] if row["id"] == "logoff"] == []
