"""The actions of the roles for Windows: what they hand to windows_script, and what the tasks get."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ready.common.checksum import sha256_of
from ready.windows.portproxy_task import FOLLOW_SCRIPT

from tests.simulator.conditions import host_in
from tests.simulator.inventory import DISTRO
from tests.unit.conftest import resolved_stack
from tests.unit.project.test_modules import load
from tests.unit.windows.test_host_variable import facts
from tests.unit.windows.test_plans import NETWORK, WSL, state_of

ROOT = Path(__file__).resolve().parents[3]
GIVEN = {"distribution": DISTRO, "location": "C:\\x", "user": "ready", "backend": "desktop"}


class Scripts:
    """The action windows_script: what it was given, and the answers that it gives by script."""

    def __init__(self, **answers: dict[str, Any]) -> None:
        self.answers = answers
        self.given: dict[str, dict[str, Any]] = {}

    def get(self, name: str, task: Any, **_: Any) -> Any:
        """Return an action that answers, as the loader does."""
        assert name == "windows_script"
        self.given[task.args["id"]] = task.args
        return SimpleNamespace(run=lambda task_vars: self.answers[task.args["id"]])


def run(
    name: str, scripts: Scripts, monkeypatch: pytest.MonkeyPatch, hostvars: Any = None, **args: Any
) -> tuple[dict[str, Any], Any]:
    """Run an action; return its result and the variables that it registered."""
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(ActionBase, "validate_argument_spec", lambda *_, **__: (None, args))
    action = object.__new__(load(ROOT / "action_plugins" / f"{name}.py").ActionModule)
    action._task = SimpleNamespace(check_mode=False, copy=lambda: SimpleNamespace())
    action._connection = action._play_context = action._loader = action._templar = None
    action._shared_loader_obj = SimpleNamespace(action_loader=scripts)
    registered: dict[str, Any] = {}
    action.register_host_variables = lambda variables, _: registered.update(variables)
    return action.run(None, {"inventory_hostname": "pc1", "hostvars": hostvars}), registered


def test_a_state_becomes_ready_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is not as its schema says is in the result of the task that fails."""
    state = state_of(host_in("ready"))
    args = {**GIVEN, "stack": resolved_stack(), "inside": "running", "ca_thumbprints": ["ab cd"], "timeout": 60}
    scripts = Scripts(windows_state={"result": state, "before": 1.0, "after": 2.0})
    result, registered = run("windows_state", scripts, monkeypatch, **args)
    assert result["result"] == state
    assert registered["ready_windows"]["distribution"] == DISTRO
    assert registered["ready_windows"]["keepalive"]["missing_distro"] == ""
    parameters = scripts.given["windows_state"]["parameters"]
    assert (parameters["CaThumbprints"], parameters["Inside"]) == (["ABCD"], "running")
    assert base64.b64decode(parameters["InsideScript"]).startswith(b"# ready: distro_state")
    scripts.answers["windows_state"]["result"] = {"schema": "windows_state/0"}
    with pytest.raises(AnsibleActionFail, match="is not what scripts/windows/windows_state") as caught:
        run("windows_state", scripts, monkeypatch, **args)
    assert caught.value._result["result"] == {"schema": "windows_state/0"}


def test_an_overhead_is_rows_and_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a program in the distro that failed, its fault; in check mode nothing is compared."""
    target = {"name": "redis.redis", "connect_ms": [1.0] * 20, "round_trip_ms": [2.0] * 20, "error": None}
    inside = {"targets": [target], "containers": [], "back": []}
    stdout = base64.b64encode(json.dumps(inside).encode()).decode()
    scripts = Scripts(
        latency={"result": {"targets": [{**target, "error": "refused", "connect_ms": [], "round_trip_ms": []}]}},
        native_run={"result": {"stdout": stdout}, "fault": ""},
    )
    args = {"stack": resolved_stack(), "distribution": DISTRO, "backend": "desktop", "samples": 20, "back": []}
    result, _ = run("windows_overhead", scripts, monkeypatch, **args)
    assert [row["name"] for row in result["rows"]] == ["redis.redis"]
    assert (result["overhead"]["verdict"], result["back_rows"]) == ("fail", [])
    assert "found no answer of redis.redis" in result["fault"]
    assert scripts.given["native_run"]["parameters"]["Arguments"][:2] == ["-d", DISTRO]
    scripts.answers["native_run"]["fault"] = "pc1: measurement inside of the distro: found nothing"
    with pytest.raises(AnsibleActionFail, match="pc1: measurement inside of the distro"):
        run("windows_overhead", scripts, monkeypatch, **args)
    scripts.answers["native_run"] = {"skipped_in_check_mode": True}
    assert "rows" not in run("windows_overhead", scripts, monkeypatch, **args)[0]


def test_plans_know_the_scripts_of_their_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the host has the one that is here, nothing is written."""
    state = state_of(host_in("ready"))
    own = {"distribution", "location", "user", "script_sha256"}
    asked = {"disk_limit": "", "needed_by": [], **{key: value for key, value in WSL.items() if key not in own}}
    plan = run("wsl2_plan", Scripts(), monkeypatch, windows=facts(state), **asked)[0]["plan"]
    assert (plan["steps"], plan["keepalive_task"]["write_script"]) == ([], False)
    other = {**state, "files": [{**file, "sha256": "0" * 64} for file in state["files"]]}
    plan = run("wsl2_plan", Scripts(), monkeypatch, windows=facts(other), **asked)[0]["plan"]
    assert plan["keepalive_task"]["write_script"]
    for_network = {key: NETWORK[key] for key in ("mode", "config", "follow", "public", "password_given")}
    for_network["allow"] = [{"name": "ssh", "port": 2222, "remote": ["10.0.0.0/8"], "native": True}]
    for_network["stack"] = resolved_stack()
    sums = {"0" * 64: True, sha256_of(ROOT / "scripts" / "windows" / FOLLOW_SCRIPT): False}
    for sha256, written in sums.items():
        held = {**state, "files": [*state["files"], {"name": FOLLOW_SCRIPT, "sha256": sha256}]}
        plan = run("windows_network_plan", Scripts(), monkeypatch, windows=facts(held), **for_network)[0]["plan"]
        assert plan["portproxy_task"]["write_script"] == written


def test_a_wrong_size_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of the inventory, by its variable."""
    windows = facts(state_of(host_in("ready")))
    with pytest.raises(AnsibleActionFail, match="wsl2_disk_limit: 'much' is not a size"):
        run("wsl2_plan", Scripts(), monkeypatch, windows=windows, disk_limit="much")
    with pytest.raises(AnsibleActionFail, match="windows_preflight_disk_free: 'much' is not a size"):
        run("windows_preflight_checks", Scripts(), monkeypatch, windows=windows, disk_free="much", clock_skew=5.0)


@pytest.mark.parametrize(
    ("role", "wrong", "message"),
    [
        ("windows_network", {"mode": "bridged"}, "value of mode must be one of: nat, mirrored, got: bridged; expected"),
        (
            "windows_network",
            {"allow": [{"name": "x", "remote": ["10.0.0.1"]}]},
            "missing required arguments: port found in allow; expected",
        ),
        ("windows_network", {"allow": [{"name": "x", "port": "abc", "remote": []}]}, "argument 'port' is of type str"),
        ("docker_desktop", {"start": "maybe"}, "argument 'start' is of type str"),
    ],
)
def test_a_wrong_variable_is_named_with_its_role(
    role: str, wrong: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with its host, before anything is changed."""
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    action = object.__new__(load(ROOT / "action_plugins" / f"{role}_plan.py").ActionModule)
    action._task = SimpleNamespace(args={"windows": facts(state_of(host_in("ready"))), **wrong})
    if role == "windows_network":
        action._task.args["stack"] = resolved_stack()
    with pytest.raises(AnsibleActionFail) as caught:
        action.run(None, {"inventory_hostname": "pc1"})
    assert str(caught.value).startswith(f"pc1: variables of role {role}: found {message}")
    assert str(caught.value).endswith(f"Next: correct {role}_… in the inventory")


def test_one_address_is_a_list_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The letters of a text are no addresses."""
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    action = object.__new__(load(ROOT / "action_plugins" / "windows_network_plan.py").ActionModule)
    allow = [{"name": "ssh", "port": "2222", "remote": "10.0.0.1"}]
    given = {"windows": facts(state_of(host_in("ready"))), "stack": resolved_stack(), "allow": allow}
    action._task = SimpleNamespace(args=given)
    (rule,) = action.run(None, {"inventory_hostname": "pc1"})["plan"]["rules"]
    assert (rule["port"], rule["remote"]) == (2222, "10.0.0.1")


@pytest.mark.parametrize(
    ("action", "more", "message"),
    [
        (
            "wsl2_package_fault",
            {"windows": facts(state_of(host_in("ready"))), "version": "2.6.1", "source": "https://mirror.example/x"},
            "pc1: WSL 2.6.1: found it ended (exit code 1603); expected it installed from https://mirror.example/x. "
            "Next: correct what the log says, then run again. Error 1603 | the end",
        ),
        (
            "docker_desktop_install_fault",
            {},
            "pc1: installation of Docker Desktop: found it ended. (exit code 1603); expected it installed. "
            "Next: see the log, correct what it says, then run again. Error 1603 | the end",
        ),
    ],
)
def test_an_installer_fails_with_its_log(
    action: str, more: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last lines are in the message."""
    scripts = Scripts(log_tail={"result": {"path": "C:\\x.log", "lines": ["Error 1603", "the end"]}})
    package = {"rc": 1603, "msg": "it ended."}
    result, _ = run(action, scripts, monkeypatch, package=package, log="C:\\x.log", **more)
    assert result == {"failed": True, "msg": message}
    assert scripts.given["log_tail"]["parameters"] == {"Path": "C:\\x.log", "Lines": 8}


def test_a_logon_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails after the time that was given."""
    args = {"windows": facts(state_of(host_in("ready"))), "timeout": 300}
    scripts = Scripts(desktop_wait={"result": {"session": True, "waited": 12.0}})
    assert run("docker_desktop_logon", scripts, monkeypatch, **args)[0] == {"changed": False}
    assert scripts.given["desktop_wait"]["parameters"] == {"Timeout": 300}
    scripts.answers["desktop_wait"]["result"] = {"session": False, "waited": 300.0}
    result, _ = run("docker_desktop_logon", scripts, monkeypatch, **args)
    assert result["failed"]
    assert result["msg"].startswith("pc1: Desktop session: found nobody logged on as ")


def test_a_refused_task_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """What held the distro before is started, and the password is in no message."""
    args = {
        "windows": facts(state_of(host_in("ready"))),
        "task": "keep new",
        "holders": ["keep old"],
        "password": "Secret-7",
        "password_variable": "wsl2_owner_password",
    }
    refused = {"msg": "Secret-7 is wrong (0x8007052E)"}
    scripts = Scripts(keep_tasks={"changed": True, "result": {}, "fault": ""})
    result, _ = run("windows_task_start", scripts, monkeypatch, registered=refused, **args)
    assert scripts.given["keep_tasks"]["parameters"]["Tasks"] == ["keep old"]
    assert (result["failed"], result["changed"]) == (True, True)
    assert "correct wsl2_owner_password" in result["msg"]
    assert "Secret-7" not in result["msg"]
    result, _ = run("windows_task_start", scripts, monkeypatch, registered={}, **args)
    assert scripts.given["keep_tasks"]["parameters"]["Tasks"] == ["keep old", "keep new"]
    assert result == {"changed": True}
    scripts.answers["keep_tasks"]["fault"] = "pc1: tasks: found none"
    result, _ = run("windows_task_start", scripts, monkeypatch, registered={}, **args)
    assert (result["failed"], result["msg"]) == (True, "pc1: tasks: found none")
    scripts.answers["keep_tasks"] = {"changed": True, "skipped_in_check_mode": True}
    assert run("windows_task_start", scripts, monkeypatch, registered={}, **args)[0] == {"changed": True}


def test_a_report_has_each_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with a fault has what came of it; the file is for its owner alone."""
    rows = {name: [{"id": name}] for name in ("preflight", "wsl", "docker", "network")}
    good = {
        "ready_windows": {"state": {"schema": "windows_state/1"}},
        "__windows_preflight": {"checks": rows["preflight"]},
        "__wsl2": {"plan": {"checks": rows["wsl"], "steps": ["reboot once"]}},
        "__docker_desktop": {"plan": {"checks": rows["docker"], "steps": []}},
        "__windows_network": {"plan": {"checks": rows["network"], "steps": []}},
    }
    bad = {"_diagnose_fault": "pc2: it failed", "__windows_preflight_read": {"raw": {"output": ["?"]}}}
    hosts, path = {"pc1": good, "pc2": bad, "pc3": {}}, tmp_path / "state.json"
    path.write_text("of yesterday")
    path.chmod(0o644)
    given = {"hosts": ["pc1", "pc2"], "output": str(path)}
    assert run("windows_report", Scripts(), monkeypatch, hostvars=hosts, **given)[0] == {"changed": False}
    assert json.loads(path.read_text()) == {
        "pc1": {
            "state": {"schema": "windows_state/1"},
            "checks": [row for its in rows.values() for row in its],
            "steps": ["reboot once"],
        },
        "pc2": {"fault": "pc2: it failed", "state": None, "raw": {"output": ["?"]}},
    }
    assert path.stat().st_mode & 0o777 == 0o600
    given["output"] = str(tmp_path / "none" / "state.json")
    with pytest.raises(AnsibleActionFail, match=r"state\.json: can't be written: .*No such file"):
        run("windows_report", Scripts(), monkeypatch, hostvars=hosts, **given)
