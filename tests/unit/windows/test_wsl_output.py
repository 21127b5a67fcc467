"""What wsl.exe says, in whatever language and encoding: codes are read, sentences are not."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ready.windows import wsl_errors, wsl_output
from ready.windows.wsl_error_table import ERRORS


def b64(text: str, encoding: str = "utf-8") -> str:
    """Return a text as the scripts send bytes."""
    return base64.b64encode(text.encode(encoding)).decode()


def ended(code: int | None, out: str = "", err: str = "") -> dict[str, Any]:
    """Return a run of native_run.ps1."""
    return {"rc": code, "timed_out": code is None, "stdout": b64(out), "stderr": b64(err), "missing": None}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16"])
def test_encodings_are_read(encoding: str) -> None:
    """wsl.exe before 0.64 writes UTF-16 whatever WSL_UTF8 says."""
    assert wsl_output.lines(b64("Ubuntu-22.04\r\ndocker-desktop\r\n", encoding)) == ["Ubuntu-22.04", "docker-desktop"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # As English, German and Japanese Windows put it (microsoft/WSL's issues; the codes are the same).
        ("Please enable it.\r\nError code: Wsl/Service/CreateInstance/CreateVm/HCS/0x80370102", "0x80370102"),
        ("Fehlercode: Wsl/Service/CreateInstance/CreateVm/HCS/0x80070569\r\n", "0x80070569"),
        ("エラー コード: Wsl/Service/CreateInstance/CreateVm/HCS/HCS_E_HYPERV_NOT_INSTALLED", "0x80370102"),
        ("Error code: Wsl/Service/RegisterDistro/ERROR_FILE_EXISTS", "0x80070050"),
        ("Error code: Wsl/Service/WSL_E_DISTRO_NOT_FOUND", "0x80040302"),
        ("Error code: Wsl/Service/E_SOMETHING_NEW", "E_SOMETHING_NEW"),
        ("WslRegisterDistribution failed with error: 0X80370102 or 0x80370102", "0x80370102"),
        ("No.\nError code: Wsl/WSL_E_LOCAL_SYSTEM_NOT_SUPPORTED", "0x8004032e"),
        ("There is no code in this.", ""),
    ],
)  # fmt: skip
def test_codes_are_found(text: str, code: str) -> None:
    """By path or by number, the last word of it."""
    assert wsl_errors.find(text).code == code


@pytest.mark.parametrize("code", sorted({row.code for row in ERRORS if not row.where}))
def test_every_code_has_its_next_step(code: str) -> None:
    """And it is what a message says."""
    fault = wsl_output.fault(ended(-1, f"xyz\r\nxyz: Wsl/Service/{code}\r\n"))
    assert fault
    row = wsl_errors.by_code(code)
    assert (fault.code, fault.next) == (code, row.next)
    assert row.cause in fault.meaning
    assert f"{code} {row.name}".strip() in fault.meaning


def test_good_end_is_no_fault() -> None:
    """Whatever it says."""
    assert wsl_output.fault(ended(0, "0x80370102")) is None
    assert wsl_output.fault(None) is None


def test_silence_is_a_fault() -> None:
    """It was ended, and may be asking something."""
    fault = wsl_output.fault(ended(None))
    assert fault
    assert fault.code == "timeout"
    assert "log on as the owner" in fault.next


def test_unknown_end_shows_what_was_said() -> None:
    """In one line."""
    fault = wsl_output.fault(ended(1, "", "something\r\nelse"))
    assert fault
    assert fault.meaning == "something else (exit code 1)"


def test_missing_program_is_a_fault() -> None:
    """There is no package, so there is no wsl.exe that could be used."""
    fault = wsl_output.fault(ended(None) | {"timed_out": False, "missing": "C:\\Program Files\\WSL\\wsl.exe"})
    assert fault
    assert "does not exist" in fault.meaning


def test_right_program_is_named() -> None:
    """native_run runs two: what docker.exe did is not said of wsl.exe, nor is the other's package the cure."""
    late, gone = ended(None) | {"program": "docker.exe"}, "C:\\Program Files\\Docker\\resources\\bin\\docker.exe"
    said_late = wsl_output.fault(late)
    assert said_late
    assert said_late.meaning.startswith("docker.exe did not answer in time")
    said_wsl = wsl_output.fault(ended(None))
    assert said_wsl
    assert said_wsl.meaning.startswith("wsl.exe did not answer in time")
    missing = wsl_output.fault(ended(None) | {"timed_out": False, "missing": gone, "program": "docker.exe"})
    assert missing
    assert "docker_desktop_version" in missing.next
    assert "wsl2_msi" not in missing.next
