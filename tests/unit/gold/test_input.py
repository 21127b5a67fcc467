"""Bad input: each is a finding or a clear message, the rest is judged, and no output obeys what a file says."""

from __future__ import annotations

import ast
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ready.gold import __main__ as cli
from ready.gold import cache, engine, fix
from ready.gold.collect import MOST_GUARDS, collect
from ready.gold.engine import analyse
from ready.gold.files import PathError, find
from ready.gold.judge import UNREAD, judge
from ready.gold.outputs import FORMATS
from ready.gold.pool import Pool
from ready.gold.shown import printable
from ready.gold.source import LARGEST, Problem, Source, load, parse

from tests.unit.gold.test_engine import BAD, lines, project

MODULES = Path(engine.__file__).resolve().parents[2]
STRANGE = "x\x1b[31mred\n::error file=a::pwn\u202e.py"
NO_TEXT = os.fsdecode(b"n\xff\xfe.py")


def unread(place: Path) -> dict[str, str]:
    """Return path -> message of what can't be judged."""
    found = analyse([place]).judged
    return {item.path: finding.message for item in found for finding in item.findings if finding.rule == UNREAD}


def command(*words: str | Path) -> list[str]:
    """Return a call of the analyser as a separate program."""
    return [sys.executable, "-m", "ready.gold", *map(str, words)]


def run(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Call it, and return how it ended."""
    environment = {**os.environ, "PYTHONPATH": str(MODULES), **more}
    return subprocess.run(command(*words), capture_output=True, text=True, env=environment, timeout=100, check=False)


# What is no file


def test_what_is_no_file(tmp_path: Path) -> None:
    """A FIFO, a socket and a device are findings, none is waited for; the text of findings opens none either."""
    root = project(tmp_path, {"a.py": BAD})
    os.mkfifo(root / "fifo.py")
    with socket.socket(socket.AF_UNIX) as server, pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        server.bind("socket.py")
    found = unread(root)
    assert "found a FIFO; expected a file" in found["fifo.py"]
    assert "found a socket; expected a file" in found["socket.py"]
    result = analyse([root])
    assert "a.py:1 GS02" in lines(result)
    assert "fifo.py:1:1: GS00" in FORMATS["text"](result)
    assert isinstance(load(Path("/dev/zero")), Problem)


@pytest.mark.parametrize("name", ["fifo", "/dev/zero", "gone"])
def test_what_is_named_and_no_file(name: str, tmp_path: Path) -> None:
    """Is refused by what it is."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "gone").symlink_to("nowhere")
    with pytest.raises(PathError, match=r"found a (FIFO|device|link to nothing); expected a file or a directory"):
        analyse([tmp_path / name])


def test_links(tmp_path: Path) -> None:
    """Out of the project, to nothing and in a circle: findings, and what is there is not shown."""
    secret = project(tmp_path / "other", {"secret.py": "hunter2 = (\n", "data/notes.txt": "", "code/b.py": BAD})
    root = project(tmp_path / "own", {"app/a.py": BAD})
    for name, target in {
        "out.py": secret / "secret.py",
        "code": secret / "code",
        "data": secret / "data",
        "gone.py": root / "nowhere.py",
        "loop.py": root / "loop.py",
        ".#a.py": Path("somebody@host:1"),
        "within.py": root / "app/a.py",
        "again": root / "app",
    }.items():
        (root / name).symlink_to(target)
    found = unread(root)
    assert sorted(found) == ["code", "gone.py", "loop.py", "out.py"]
    assert "a link to a directory outside of the project" in found["code"]
    assert "a link to a file outside of the project" in found["out.py"]
    assert "a link to nothing" in found["gone.py"]
    assert "a link that leads to itself" in found["loop.py"]
    assert "app/a.py:1 GS02" in lines(analyse([root]))
    assert "hunter2" not in FORMATS["text"](analyse([root]))
    assert f"{secret}/code/b.py:1 GS02" in lines(analyse([root, secret / "code"], root))


def test_a_file_that_vanishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the list and its reading is a finding; one that grows without end is read to the limit."""
    root = project(tmp_path, {"a.py": BAD, "b.py": BAD})

    def found(*words: object, **more: object) -> object:
        listed = find(*words, **more)  # type: ignore[arg-type]
        (root / "b.py").unlink(missing_ok=True)
        return listed

    monkeypatch.setattr("ready.gold.engine.find", found)
    assert lines(analyse([root])) == ["a.py:1 GS02", "b.py:1 GS00"]
    (root / "large.py").write_bytes(b"#" * (LARGEST + 1))
    assert "expected at most 4 MB" in unread(root)["large.py"]


def test_an_encoding_in_the_name_of_a_file(tmp_path: Path) -> None:
    """Says nothing about its content; every codec that Python has as a cookie ends in a source or a finding."""
    found = unread(project(tmp_path, {"different_encoding.py": "def f(:\n"}))
    assert "a syntax error: invalid syntax" in found["different_encoding.py"]
    from encodings.aliases import aliases

    for name in {*aliases, *aliases.values(), "undefined", "idna", "punycode", "unicode_escape", "rot13"}:
        data = f"# coding: {name}\na = '\xe4'\n".encode("latin-1")
        assert parse(data, "a.py", "a", False)


# What goes wrong within


def test_a_fault_of_the_analyser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a finding for the file on which it fails; the others are judged, and it is not kept."""
    root, kept = project(tmp_path / "p", {"a.py": BAD, "b.py": BAD}), tmp_path / "cache/kept.sqlite"

    def failing(source: object, *rest: object) -> object:
        if getattr(source, "path", "") == "b.py":
            raise KeyError("secret of the code")
        return judge(source, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("ready.gold.engine.judge", failing)
    result = analyse([root], kept=kept)
    assert lines(result) == ["a.py:1 GS02", "b.py:1 GS00"]
    message = result.judged[1].findings[0].message
    assert "KeyError at test_input.py" in message
    assert "secret of the code" not in message
    monkeypatch.undo()
    assert lines(analyse([root], kept=kept)) == ["a.py:1 GS02", "b.py:1 GS02"]


def _killing(paths: list[Path]) -> list[str]:
    if any(path.name in {"7.py", "123.py"} for path in paths):
        os.kill(os.getpid(), signal.SIGKILL)
    return [path.name for path in paths]


def test_a_process_that_is_killed() -> None:
    """As by the out-of-memory killer: the file is found and named, all others have their results, in order."""
    paths = [Path(f"{number}.py") for number in range(130)]
    found = list(Pool(_killing, str, "", 2, lambda path: f"lost {path.name}").results(paths))  # type: ignore[arg-type]
    assert found == [f"lost {path.name}" if path.name in {"7.py", "123.py"} else path.name for path in paths]


def _always(paths: list[Path]) -> list[str]:
    os.kill(os.getpid(), signal.SIGKILL)
    return [str(paths)]


def test_processes_that_are_all_killed() -> None:
    """End in findings, not in thousands of processes."""
    paths = [Path(f"{number}.py") for number in range(600)]
    pool = Pool(_always, str, "", 2, lambda path: path.name)  # type: ignore[arg-type]
    assert list(pool.results(paths)) == [path.name for path in paths]
    assert pool.given_up == 10


def _descendants(process: int) -> set[int]:
    shown = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in shown.splitlines()]
    return {child for child, parent in pairs if parent == process}


def _living(processes: set[int]) -> set[int]:
    shown = subprocess.run(["ps", "-eo", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    return {int(line.split()[0]) for line in shown.splitlines() if not line.split()[1].startswith("Z")} & processes


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_an_end_in_the_middle(sent: signal.Signals, tmp_path: Path) -> None:
    """By Ctrl-C says so, in one line; by whatever it ends, no process stays."""
    text = "".join(f"def f{number}(a, b={{'c': 1}}):\n    return [a for a in b]\n" for number in range(700))
    project(tmp_path, {f"{number}.py": text for number in range(400)})
    environment = {**os.environ, "PYTHONPATH": str(MODULES)}
    words = command(tmp_path, "--no-cache", "--jobs", "2")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
    try:
        process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)
    finally:
        signal.signal(signal.SIGINT, before)
    children: set[int] = set()
    while len(children) < 2 and process.poll() is None:
        time.sleep(0.05)
        children = _descendants(process.pid)
    assert len(children) == 2
    process.send_signal(sent)
    _, errors = process.communicate(timeout=100)
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert errors.splitlines() == [
            "gold-standards: found Ctrl-C; expected the end of the run. Next: run it again"
        ], errors
    deadline = time.monotonic() + 60
    while _living(children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _living(children)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + " and ".join(["a"] * 3000),
        "def f():\n" + "    if a: return\n    f()\n" * 1500,
        "match a:\n" + "".join(f"    case {number}: f()\n" for number in range(1500)),
    ],
)
def test_what_grows_with_the_square(text: str) -> None:
    """Conditions on conditions: a file of some megabytes would take all memory."""
    source = parse(text.encode(), "a.py", "a", False)
    assert isinstance(source, Source)
    kept = {id(site.guards): len(site.guards) for site in collect(source, {ast.Call, ast.Name}).sites[ast.Name]}
    assert sum(kept.values()) < 1550 * MOST_GUARDS  # the square: more than a million


# What is shown


def strange(place: Path) -> Path:
    """Write a project whose names and texts would move a terminal's cursor, and give commands to a job's runner."""
    secret = "x = {'a\\ud800\\x1b_password': 'hunter22!'}  # \x1b]0;title\x07 \x9b31m \u202e\n"
    return project(place, {STRANGE: BAD, NO_TEXT: BAD, "::stop.py": BAD, "a.py": secret, "b.py": "(\n::error::pwn\n"})


@pytest.mark.parametrize("form", list(FORMATS))
def test_outputs_obey_no_file(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No control characters, no lines that a file's name or text begins; all of it is UTF-8."""
    root = strange(tmp_path)
    monkeypatch.chdir(root)
    text = FORMATS[form](analyse([root]))
    text.encode()
    assert not [letter for letter in text if letter != "\n" and printable(letter) != letter]
    started = ("::error file=", "::warning file=") if form == "github" else ()
    assert not [line for line in text.splitlines() if line.strip().startswith("::") and not line.startswith(started)]
    if form == "github":
        assert all(line.startswith(started) for line in text.splitlines())
    elif form == "junit":
        assert len(ElementTree.fromstring(text).findall(".//failure")) == 5  # noqa: S314
    elif form != "text":
        assert text.isascii()
        assert len(json.loads(text).get("findings") or json.loads(text)["runs"][0]["results"]) == 5
    if form == "sarif":
        assert "n%FF%FE.py" in text


def test_a_diff_obeys_no_file(tmp_path: Path) -> None:
    """Its tabs stay; what it fixes is what a link within the project leads to."""
    text = "def f():\n\ta = '\x1b[31m'\nfrom kailash.workflow import WorkflowBuilder\n"
    root = project(tmp_path, {"sub/\x1b[31m.py": text})
    (root / "link.py").symlink_to("sub/\x1b[31m.py")
    changes = fix.fixes(analyse([root]))
    shown = fix.diff(changes, root)
    assert " \ta = '\\x1b[31m'\n" in shown
    assert "\x1b" not in shown
    fix.write(changes)
    assert (root / "link.py").is_symlink()
    assert "workflow.builder" in (root / "sub/\x1b[31m.py").read_text(encoding="utf-8")
    assert sorted(path.name for path in root.iterdir()) == ["link.py", "sub"]


def test_a_console_that_lacks_letters(tmp_path: Path) -> None:
    """Gets them written out."""
    project(tmp_path, {"a.py": "'\u4e16'; from kailash.nodes import *\n"})
    found = run(tmp_path, "--no-cache", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert found.returncode == 0, found.stderr
    assert "'\\u4e16'; from kailash.nodes import *" in found.stdout


def test_an_output_that_is_full(tmp_path: Path) -> None:
    """Is an error with a message, and no success."""
    project(tmp_path, {"a.py": BAD})
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        found = subprocess.run(
            command(tmp_path, "--no-cache"),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(MODULES)},
            check=False,
        )
    assert found.returncode == 74
    assert found.stderr.startswith("gold-standards: output: found no space left on device; expected")
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize("words", [["--threshold", "0"], ["--diff"], ["--rules", "GS11", "--threshold", "0"]])
def test_what_is_incomplete_is_no_success(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the threshold is."""
    project(tmp_path, {"a.py": "import kailash.workflow.builder\n", "b.py": "def f(:\n"})
    assert cli.main([str(tmp_path), "--no-cache", *words]) == 2
    assert "b.py" in "".join(capsys.readouterr())


# What is kept


def test_a_cache_of_another_form(tmp_path: Path) -> None:
    """Of other columns, with rows that are no results, or results of another file: time alone is lost."""
    root, kept = project(tmp_path / "p", {"a.py": BAD, "b.py": "a = 1\n"}), tmp_path / "cache/kept.sqlite"
    wanted = lines(analyse([root], kept=kept))
    for value in ("1", "[]", "{}", "null", '{"path": "a.py"}', "[" * 100_000, "no JSON"):
        with sqlite3.connect(kept) as database:
            database.execute("update kept set value = ?", (value,))
        database.close()
        assert lines(analyse([root], kept=kept)) == wanted
    with sqlite3.connect(kept) as database:  # what was found in b.py goes by as what was found in a.py
        rows = dict(database.execute("select value, key from kept").fetchall())
        other = next(value for value in rows if '"path": "b.py", "lines"' in value)
        database.execute("update kept set value = ?", (other,))
    database.close()
    assert lines(analyse([root], kept=kept)) == wanted
    kept.unlink()
    with sqlite3.connect(kept) as database:
        database.execute("create table kept (other text)")
    database.close()
    analyse([root], kept=kept)
    assert analyse([root], kept=kept).cached == 2


def test_a_cache_that_others_can_write(tmp_path: Path) -> None:
    """Is not believed: --fix would write what it says. Neither is one needed that can't be made."""
    root, kept = project(tmp_path / "p", {"a.py": BAD}), tmp_path / "cache/kept.sqlite"
    analyse([root], kept=kept)
    assert analyse([root], kept=kept).cached == 1
    assert kept.stat().st_mode & 0o077 == 0
    kept.chmod(0o666)
    assert analyse([root], kept=kept).cached == 0
    kept.chmod(0o600)
    kept.parent.chmod(0o777)
    assert analyse([root], kept=kept).cached == 0
    for place in (Path("/proc/no/kept.sqlite"), root / "a.py" / "kept.sqlite", tmp_path):
        assert lines(analyse([root], kept=place)) == ["a.py:1 GS02"]


def test_a_cache_in_use(tmp_path: Path) -> None:
    """By another run is left alone, not thrown away; two runs at once both have their results."""
    root, kept = project(tmp_path / "p", {f"{number}.py": BAD for number in range(70)}), tmp_path / "cache/kept.sqlite"
    analyse([root], kept=kept)
    with sqlite3.connect(kept, isolation_level=None) as database:
        database.execute("begin exclusive")
        opened = cache.Cache(kept)
        opened.close()
        database.execute("commit")
        assert database.execute("select count(*) from kept").fetchone()[0] == 140
    database.close()
    environment = {**os.environ, "PYTHONPATH": str(MODULES), "XDG_CACHE_HOME": str(tmp_path / "shared")}
    runs = [
        subprocess.Popen(command(root, "--format", "json"), stdout=subprocess.PIPE, env=environment) for _ in range(2)
    ]
    found = [json.loads(process.communicate(timeout=100)[0]) for process in runs]
    assert [item["findings_total"] for item in found] == [70, 70]


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps nothing."""

    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", home)
    assert cache.default_path() is None


def test_a_place_that_nobody_may_look_into() -> None:
    """As a path or as the working directory is a message. Root may look into all: it is nobody."""
    with tempfile.TemporaryDirectory() as place:
        root = project(Path(place), {"in/a.py": BAD})
        root.chmod(0)
        before = os.geteuid()
        os.seteuid(65534 if before == 0 else before)
        try:
            with pytest.raises(PathError, match="permission denied; expected a file or a directory"):
                analyse([root / "in/a.py"])
        finally:
            os.seteuid(before)
            root.chmod(0o700)
