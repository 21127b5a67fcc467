"""What restic's answers mean. Recorded from restic 0.14 but where an issue of its tracker is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from ready.backups.manifest import BackupError
from ready.backups.restic import repository as restic
from ready.backups.restic.errors import NoRepositoryError, explain, restic_error

ASKS = "\nIs there a repository at the following location?\n{}\n"
NONE = {
    "a directory": "Fatal: unable to open config file: stat /b/config: no such file or directory" + ASKS.format("/b"),
    "a rest server": "Fatal: unable to open config file: <config/> does not exist" + ASKS.format("rest:http://h/n/"),
    "sftp": "Fatal: unable to open config file: Lstat: file does not exist" + ASKS.format("sftp:h:/b"),
    "s3 (minio#16862)": "Fatal: unable to open config file: Stat: The specified key does not exist."
    + ASKS.format("s3:h"),
}
UNREACHABLE = {
    "refused": 'Fatal: unable to open config file: client.Head: Head "http://127.0.0.1:1/x/config": dial tcp '
    "127.0.0.1:1: connect: connection refused" + ASKS.format("rest:http://127.0.0.1:1/x/"),
    "no name": 'Fatal: unable to open config file: client.Head: Head "http://h.invalid/x/config": dial tcp: lookup '
    "h.invalid on 10.0.0.1:53: no such host" + ASKS.format("rest:http://h.invalid/x/"),
    "down": "Fatal: unable to open config file: unexpected HTTP response (503): 503 Service Unavailable"
    + ASKS.format("x"),
    "s3": 'Fatal: unable to open config file: Stat: Get "http://127.0.0.1:1/bucket/?location=": dial tcp 127.0.0.1:1: '
    "connect: connection refused" + ASKS.format("s3:http://127.0.0.1:1/bucket"),
    "ssh": "subprocess ssh: ssh: connect to host 127.0.0.1 port 22: Connection refused\nFatal: unable to open "
    "repository at sftp:n@127.0.0.1:/x: unable to start the sftp session, error: EOF",
    "ssh, no name": "subprocess ssh: ssh: Could not resolve hostname h.invalid: Name or service not known\nFatal: "
    "unable to open repository at sftp:n@h.invalid:/x: unable to start the sftp session, error: EOF",
    "certificate (restic#3258)": 'Fatal: unable to open config file: Stat: Get "https://h/b/?location=": x509: '
    "certificate signed by unknown authority" + ASKS.format("s3:https://h/b"),
}
REFUSES = {
    "forbidden": "Fatal: unable to open config file: unexpected HTTP response (403): 403 Forbidden" + ASKS.format("x"),
    "unauthorized": "Fatal: unable to open config file: unexpected HTTP response (401): 401 Unauthorized"
    + ASKS.format("x"),
    "s3 (restic#3258)": "Fatal: unable to open config file: Stat: Access Denied." + ASKS.format("s3:h"),
    "b2 (restic#4631)": "Fatal: unable to open config file: Stat: 401 " + ASKS.format("s3:h"),
    "directory": "Fatal: unable to open config file: stat /b/config: permission denied" + ASKS.format("/b"),
    "ssh": "subprocess ssh: n@h: Permission denied (publickey).\nFatal: unable to open repository at sftp:n@h:/x: "
    "unable to start the sftp session, error: EOF",
}


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_no_repository(text: str) -> None:
    """The place answered, and has none: the one case in which a first backup may begin one."""
    assert isinstance(restic_error("cat", text, 1), NoRepositoryError)
    assert "there is no repository" in explain(text)


@pytest.mark.parametrize("text", UNREACHABLE.values(), ids=UNREACHABLE)
def test_unreachable(text: str) -> None:
    """Nobody says that there is no repository where nobody has answered."""
    assert "the repository can't be reached" in explain(text)
    assert "no repository" not in explain(text)
    assert not isinstance(restic_error("cat", text, 1), NoRepositoryError)


@pytest.mark.parametrize("text", REFUSES.values(), ids=REFUSES)
def test_refuses(text: str) -> None:
    """A place that lets us see nothing says nothing about a repository either."""
    assert "the repository refuses this host" in explain(text)
    assert not isinstance(restic_error("cat", text, 1), NoRepositoryError)


def test_exit_codes_count_most() -> None:
    """From 0.17 on restic tells itself, in whatever words."""
    assert isinstance(restic_error("cat", "Fatal: new words", 10), NoRepositoryError)
    assert "another run holds" in explain("Fatal: new words", 11)
    assert "another key" in explain("Fatal: new words", 12)
    unknown = explain("Fatal: unable to open config file: new words" + ASKS.format("x"))
    assert "it is unknown whether there is a repository" in unknown


@pytest.mark.parametrize(
    ("answer", "begun"), [(NONE["sftp"], True), (UNREACHABLE["s3"], False), (REFUSES["ssh"], False)]
)
def test_a_repository_is_begun_only_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, begun: bool
) -> None:
    """A first backup makes none because of a server that is down."""
    calls: list[str] = []

    def run(_: restic.Repository, *words: str, **__: float) -> str:
        calls.append(words[0])
        if words[0] == "cat":
            raise restic_error("cat", answer, 1)
        return ""

    monkeypatch.setattr(restic.Repository, "run", run)
    repository = restic.Repository("x", tmp_path / "key", tmp_path)
    if begun:
        assert repository.ensure(known=False)
    else:
        with pytest.raises(BackupError):
            repository.ensure(known=False)
    assert calls == (["cat", "init"] if begun else ["cat"])
    with pytest.raises(BackupError):  # one that was there before is never begun again
        repository.ensure(known=True)
