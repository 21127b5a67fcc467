"""Error codes of wsl.exe: one table, WSL's own names, and advice that names what there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from ready.stack.argument_specs import role_specs
from ready.windows import wsl_errors, wsl_output, wsl_protocol
from ready.windows.wsl_error_table import ERRORS, WslError

from tests.simulator.conditions import host_in
from tests.simulator.handlers.scripts import failed
from tests.simulator.reports import REPORTS
from tests.unit.windows.test_plans import failures

ROOT = Path(__file__).resolve().parents[3]
#: Report -> words of the cause, and of the next step.
EXPECTED: dict[str, tuple[str, str]] = {
    "logon-right": ("'Log on as a service'", "SeServiceLogonRight"),
    "hns-network": ("Host Network Service", "reboot Windows"),
    "hns-wmi": ("Host Network Service", "reboot Windows"),
    "hns-older": ("Host Network Service", "reboot Windows"),
    "hns-service-gone": ("network needs does not exist", "SharedAccess"),
    "hns-service-stopped": ("network needs does not run", "SharedAccess"),
    "disk-denied": ("may not open the distro's virtual disk", "icacls"),
    "disk-denied-older": ("encryption (EFS)", "cipher /c"),
    "disk-gone": ("virtual disk is not where its registration says", "BasePath"),
    "disk-shared": ("another program holds the distro's virtual disk", "wsl --shutdown"),
    "folder-encrypted": ("compressed or encrypted (EFS)", "set wsl_location"),
    "class": ("class not registered", "set wsl2_msi_version"),
    "service-disabled": ("stopped and disabled", "sc.exe config WSLService start= demand"),
    "plugin": ("a plug-in of WSL refused", "repair or update the plug-in"),
    "policy": ("a policy forbids WSL", "gpresult"),
}


def names_of_wsl() -> dict[str, str]:
    """Return the names that wsl.exe prints, with their numbers where WSL defines them."""
    text = (ROOT / "tests" / "fixtures" / "wsl_error_names.txt").read_text()
    words = [word for line in text.splitlines() if not line.startswith("#") for word in line.split()]
    found: dict[str, str] = {}
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if not word.startswith("0x"):
            found[word] = after if after.startswith("0x") else ""
    return found


@pytest.mark.parametrize("report", REPORTS)
def test_what_real_hosts_reported_is_explained(report: str) -> None:
    """By the verdict of a run, and by the connection into the distro, in the same words."""
    cause, step = EXPECTED[report]
    host = host_in("ready")
    host.registered[0].running = False
    host.faults["start_code"] = REPORTS[report][0]
    verdict = failures(host)
    assert cause in verdict
    assert step in verdict
    problem = wsl_protocol.wsl_failure(-1, wsl_output.text(failed(REPORTS[report][0])["stdout"]).encode())
    assert problem
    assert cause in problem.cause
    assert step in problem.next_step


def test_every_report_has_its_address() -> None:
    """So that anybody can read what was seen."""
    assert set(EXPECTED) == set(REPORTS)
    assert all(re.fullmatch(r"https://github\.com/\S+/\d+", url) for _, url in REPORTS.values())


def test_names_are_those_that_wsl_prints() -> None:
    """And the numbers of its own codes are its own."""
    known = names_of_wsl()
    assert len(known) > 100
    for row in ERRORS:
        assert not row.name or row.name in known, row.name
        assert known.get(row.name, "") in ("", row.code), row
        assert row.code or row.where, row
        assert row.code == row.code.lower()
    assert {name for name, number in known.items() if number} > {row.name for row in ERRORS if row.name[:4] == "WSL_"}


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: "-".join(filter(None, (row.code, row.name, *row.where[:1]))))
def test_every_row_is_reached(row: WslError) -> None:
    """By its name and by its number; no row hides another."""
    where = f"Service/{row.where[0]}" if row.where else "Service"
    for last in filter(None, (row.code or "0x8badf00d", row.name)):
        assert wsl_errors.find(f"No.\r\nFehlercode: Wsl/{where}/{last}\r\n").error == row


def test_the_last_path_counts() -> None:
    """Linux may have printed anything before wsl.exe failed."""
    text = "0x80370102\nWsl/Service/WSL_E_USER_NOT_FOUND\nError code: Wsl/Service/CreateInstance/E_SOMETHING_NEW"
    assert wsl_errors.find(text) == wsl_errors.Match("E_SOMETHING_NEW", None)
    assert wsl_errors.find("no code") == wsl_errors.Match("", None)


SENTENCES = sorted((ROOT / "module_utils" / "ready" / "windows").glob("*.py"))
ROLES = [path for name in ("wsl2", "docker_desktop", "windows_*") for path in ROOT.glob(f"roles/{name}/tasks/*.yml")]
_VARIABLE = re.compile(r"\b(?:wsl2?|docker|docker_desktop|windows_(?:network|preflight)|ansible_wsl)_[a-z0-9_]+\b")


def variables() -> set[str]:
    """Return every variable that a user may set: of the roles, and of the connection."""
    found = {name for points in role_specs().values() for point in points.values() for name in point.get("options", {})}
    connection = (ROOT / "connection_plugins" / "wsl_psrp.py").read_text()
    return found | set(re.findall(r"name: (ansible_wsl_\w+)", connection))


def others() -> set[str]:
    """Return what looks like a variable and is the name of a role, a script or a plugin."""
    scripts = {path.stem for path in ROOT.glob("scripts/*/*")} | {path.stem for path in ROOT.glob("*_plugins/*.py")}
    return scripts | {path.name for path in ROOT.glob("roles/*")}


def sentences(path: Path) -> list[str]:
    """Return the texts in a module that have more than one word."""
    nodes = ast.walk(ast.parse(path.read_text()))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text for text in texts if " " in text.strip()]


@pytest.mark.parametrize("path", SENTENCES, ids=lambda path: path.stem)
def test_variables_in_advice_exist(path: Path) -> None:
    """A message that names a variable names one that there is."""
    named = {name for text in sentences(path) for name in _VARIABLE.findall(text)}
    assert not named - variables() - others()


def test_variables_in_messages_of_roles_exist() -> None:
    """So do the steps that tasks print."""
    named = {
        name
        for path in ROLES
        for step in re.findall(r"Next: (.*)", path.read_text())
        for name in _VARIABLE.findall(step)
    }
    assert not named - variables() - others()
    assert named
