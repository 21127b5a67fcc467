"""The command line: what it refuses, and that it says so without asking anybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from ready.probe import USAGE, main


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--level", "shallow"], "invalid choice"),
        (["--count", "-1"], "--count may not be below 0"),
        (["--interval", "0"], "must be above it"),
        (["--env-file", "a", "--stack", "b"], "not allowed with"),
        (["--env-file", "/nowhere/.env"], "no such file"),
        (["--stack", "/nowhere/x.json"], "./ready up writes it"),
        ([], "found no settings in the environment"),
    ],
)
def test_wrong_call(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 64, for 2 says that a service failed."""
    for name in ("DATABASE_URL", "PGHOST", "NEO4J_URI", "CHROMA_URL", "CHROMA_HOST", "REDIS_URL", "REDIS_HOST"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == USAGE
    assert message in capsys.readouterr().err


def test_password_in_bad_settings_is_not_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the variable is."""
    path = tmp_path / ".env"
    path.write_text("REDIS_URL=redis://app:s3cret@[broken\n")
    with pytest.raises(SystemExit):
        main(["--env-file", str(path)])
    shown = capsys.readouterr()
    assert "REDIS_URL" in shown.err
    assert "s3cret" not in shown.err + shown.out
