"""What the result of a script means."""

from __future__ import annotations

from pathlib import Path

from ready.windows import script_faults

ROOT = Path(__file__).resolve().parents[3]


def test_each_judge_has_its_script() -> None:
    """One of a script that is gone judges nothing."""
    scripts = {path.stem for path in (ROOT / "scripts" / "windows").glob("*.ps1")}
    assert set(script_faults.JUDGES) <= scripts


def test_a_program_that_fails_names_what_it_was_for() -> None:
    """Its exit code alone says nothing."""
    run = {"timed_out": False, "rc": 1, "stdout": "", "stderr": ""}
    found = script_faults.fault("native_run", run, "pc1", "import of Ubuntu")
    assert found.startswith(
        "pc1: import of Ubuntu: found it printed nothing (exit code 1); expected exit code 0. Next: "
    )
    assert script_faults.fault("native_run", {**run, "rc": 0}, "pc1", "import of Ubuntu") == ""


def test_other_scripts_name_themselves() -> None:
    """And one without a judge has no fault."""
    held = {"wanted": "run", "held": True, "holders": [], "missing": [], "tasks": []}
    assert "tasks that hold the distro" in script_faults.fault("keep_tasks", held, "pc1")
    assert script_faults.fault("log_tail", {"lines": []}, "pc1") == ""
