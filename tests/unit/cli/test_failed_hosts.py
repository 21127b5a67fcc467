"""Whom --failed repeats a verb for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ready.cli import failed_hosts, init, launcher
from ready.common.paths import ROOT
from ready.evidence import fleet


def summary(directory: Path, **states: str) -> None:
    """Leave a summary: machines by name and state, each of a Windows host and its distro."""
    machines = [{"name": name, "hosts": [name, f"{name}-wsl"], "state": state} for name, state in states.items()]
    (directory / "fleet.json").write_text(json.dumps({"results": {"machines": machines}}))


def test_those_that_failed_or_were_away(tmp_path: Path) -> None:
    """Both hosts of a machine; not those that are well, or that nobody ever ran for."""
    states = {f"pc{number}": state for number, state in enumerate(fleet.STATES)}
    summary(tmp_path, **states)
    again = [name for name, state in states.items() if state in {"unreachable", "failed", "away"}]
    assert failed_hosts.hosts_to_repeat(tmp_path) == [host for name in again for host in (name, f"{name}-wsl")]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"results": {"machines": 3}}'])
def test_no_summary_is_said(tmp_path: Path, content: str) -> None:
    """Nothing is guessed: not all hosts, and not none."""
    with pytest.raises(failed_hosts.FailedHostsError, match=r"found no .*fleet.json"):
        failed_hosts.hosts_to_repeat(tmp_path)
    (tmp_path / "fleet.json").write_text(content)
    with pytest.raises(failed_hosts.FailedHostsError, match="found no summary"):
        failed_hosts.hosts_to_repeat(tmp_path)


@pytest.mark.parametrize(
    ("given", "hostvars", "expected"),
    [
        ("/a", {"pc1": {"ready_evidence_dir": "/b"}}, "/a"),
        (None, {"pc1": {"ready_evidence_dir": "/b"}, "pc2": {"ready_evidence_dir": "/b"}, "x": {}}, "/b"),
        (None, {"pc1": {}}, str(ROOT / "evidence")),
    ],
)
def test_evidence_is_where_option_inventory_or_default_say(
    given: str | None, hostvars: dict[str, Any], expected: str
) -> None:
    """In this order."""
    assert failed_hosts.evidence_directory(given, hostvars) == Path(expected)


@pytest.mark.parametrize("other", ["{{ inventory_dir }}/evidence", "{{ of_another }}/evidence", "/c"])
def test_place_that_is_not_known_is_said(other: str) -> None:
    """A template, or one of several."""
    hostvars = {"pc1": {"ready_evidence_dir": "/b"}, "pc2": {"ready_evidence_dir": other}}
    with pytest.raises(failed_hosts.FailedHostsError, match="found ready_evidence_dir as"):
        failed_hosts.evidence_directory(None, hostvars)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that the launcher would start."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> int:
        commands.append(command)
        return 0

    monkeypatch.setattr(launcher, "_run", run)
    monkeypatch.setattr(launcher, "_needs_sudo_password", lambda: False)
    return commands


def inventory(directory: Path) -> Path:
    """Write an inventory that says where the evidence is, read by ansible-inventory itself."""
    path = directory / "hosts.yml"
    hosts = {"pc1": {"ready_evidence_dir": str(directory)}, "pc2": {}}
    path.write_text(json.dumps({"all": {"hosts": hosts}}))
    return path


def test_verb_runs_for_them_alone(tmp_path: Path, started: list[list[str]]) -> None:
    """By --limit of ansible-playbook."""
    summary(tmp_path, pc1="away", pc2="healthy", pc3="failed")
    assert launcher.main(["check", "--failed", "-i", str(inventory(tmp_path))]) == 0
    assert started[0][started[0].index("--limit") + 1] == "pc1,pc1-wsl,pc3,pc3-wsl"


def test_inventory_of_init_says_where_it_is(tmp_path: Path, started: list[list[str]]) -> None:
    """Its `inventory_dir` is known without a play, from the directory as from a file in it."""
    made = tmp_path / "site"
    assert init.main([str(made), "--example", "linux"]) == 0
    (made / "evidence").mkdir()
    summary(made / "evidence", pc1="failed", pc2="healthy")
    for source in (made / "inventory", made / "inventory" / "hosts.yml"):
        assert launcher.main(["check", "--failed", "-i", str(source)]) == 0
        assert started[-1][started[-1].index("--limit") + 1] == "pc1,pc1-wsl"


@pytest.mark.parametrize("template", ["{{ inventory_dir }}/evidence", "{{ of_another }}/evidence"])
def test_other_templates_are_said(tmp_path: Path, template: str) -> None:
    """Of another variable, and of `inventory_dir` where two inventories have one each."""
    hostvars = {"pc1": {"ready_evidence_dir": template}}
    sources = [str(tmp_path)] if "another" in template else [str(tmp_path), str(tmp_path.parent)]
    with pytest.raises(failed_hosts.FailedHostsError, match="one path that is no template"):
        failed_hosts.evidence_directory(None, hostvars, sources)


def test_nobody_is_nobody(tmp_path: Path, started: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    """An empty limit would be everybody."""
    summary(tmp_path, pc1="healthy")
    assert launcher.main(["check", "--failed", "-i", str(inventory(tmp_path))]) == 0
    assert not started
    assert "no host failed or was away in the last run. Next: ./ready check" in capsys.readouterr().err


def test_both_limits_and_no_summary_are_refused(
    tmp_path: Path, started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """With what was found and the next step."""
    for words in (["--limit", "pc1"], []):
        with pytest.raises(SystemExit) as ended:
            launcher.main(["check", "--failed", "-i", str(inventory(tmp_path)), *words])
        assert ended.value.code == 64
    said = capsys.readouterr().err
    assert "found --failed and --limit, expected one of them" in said
    assert "fleet.json, expected the summary" in said
    assert not started
