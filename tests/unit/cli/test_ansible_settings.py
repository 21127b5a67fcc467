"""Whatever the user's shell has set: the launcher works, or says what is in its place."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ready.cli import ansible_settings

ROOT = Path(__file__).resolve().parents[3]
NOBODY = 65534
PRINT_ENVIRONMENT = "#!/bin/sh\nenv\n"


def launched(
    *words: str, directory: Path = ROOT, user: int | None = None, root: Path = ROOT, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the launcher as a user's shell would, with variables set over a plain environment."""
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "READY_VENV") if name in os.environ}
    return subprocess.run(
        [root / "ready", *words],
        cwd=directory,
        env=kept | variables,
        user=user,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return what a launcher needs of a clone, with an environment that prints the variables that it gets."""
    root = tmp_path / "clone"
    root.mkdir()
    shutil.copy(ROOT / "ready", root)
    (root / "requirements.txt").write_text("# nothing\n")
    fake(root / ".venv", root)
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.geteuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    return root


def fake(venv: Path, root: Path) -> None:
    """Make an environment that fits the clone's lock."""
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").write_text(PRINT_ENVIRONMENT)
    (venv / "bin" / "python").chmod(0o755)
    lock = hashlib.sha256((root / "requirements.txt").read_bytes()).hexdigest()
    (venv / ".ready-lock").write_text(f"{lock}  -\n")


def shown(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return the variables that were printed."""
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


@pytest.mark.parametrize("locale", ["C", "POSIX", "xx_XX.UTF-8", "de_DE.ISO-8859-1"])
def test_locale(clone: Path, locale: str) -> None:
    """Ansible starts in UTF-8 alone, and not in a locale that is not installed."""
    assert shown(launched("status", root=clone, LC_ALL=locale))["LC_ALL"] == "C.UTF-8"


def test_a_locale_that_serves_is_kept(clone: Path) -> None:
    """Nothing is set over it."""
    found = shown(launched("status", root=clone, LANG="C.UTF-8"))
    assert (found.get("LANG"), found.get("LC_ALL")) == ("C.UTF-8", None)
    found = shown(launched("status", root=clone, LANG="C.UTF-8", LC_TIME="xx_XX.UTF-8"))
    assert found["LC_ALL"] == "C.UTF-8"


def test_a_directory_that_is_gone(clone: Path, tmp_path: Path) -> None:
    """Said in a line, instead of by a traceback."""
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", f'cd "$1" && rmdir "$1" && exec "{clone}/ready" status', "sh", gone],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ready: the working directory is gone.\nready: Next: cd to one that exists" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as another user")
def test_somebody_elses_clone(clone: Path, tmp_path: Path) -> None:
    """What fits is used; what would be written goes to the user's own cache, and is found there again."""
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    key = hashlib.sha256(f"{clone}\n".encode()).hexdigest()[:16]
    cache = home / ".cache" / "ready" / key
    found = shown(launched("status", root=clone, directory=home, user=NOBODY, HOME=str(home)))
    assert found["READY_CACHE"] == str(cache)
    assert found["PATH"].startswith(f"{clone}/.venv/bin:")
    shutil.rmtree(clone / ".venv")
    fake(cache / "venv", clone)
    found = shown(launched("status", root=clone, directory=home, user=NOBODY, HOME=str(home)))
    assert found["PATH"].startswith(f"{cache}/venv/bin:")
    shutil.rmtree(cache)
    (home / ".cache" / "ready").rmdir()
    home.chmod(0o555)
    (home / ".cache").chmod(0o555)
    done = launched("status", root=clone, directory=home, user=NOBODY, HOME=str(home))
    assert done.returncode == 1
    assert f"ready: neither {clone} nor {cache} can be written." in done.stderr


def test_own_clone_keeps_its_cache(clone: Path) -> None:
    """As it was."""
    assert shown(launched("status", root=clone))["READY_CACHE"] == str(clone / ".cache")


def test_a_foreign_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays in force, with Ready's paths in front of its own."""
    config = tmp_path / "ansible.cfg"
    config.write_text(
        "[defaults]\nroles_path = roles\nfilter_plugins = /f\ncallbacks_enabled = timer\nforks = 3\n"
        "[inventory]\nenable_plugins = yaml, constructed\nignore_extensions = .theirs\n"
    )
    for variable, *_ in (*ansible_settings.PATHS.values(), *ansible_settings.LISTS.values()):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("ANSIBLE_CONFIG", str(config))
    monkeypatch.setenv("ANSIBLE_LIBRARY", "/theirs")
    monkeypatch.delenv("ANSIBLE_INVENTORY", raising=False)
    found = ansible_settings.ansible_environment()
    assert found["ANSIBLE_ROLES_PATH"] == f"{ROOT}/roles:{tmp_path}/roles"
    assert found["ANSIBLE_FILTER_PLUGINS"] == f"{ROOT}/filter_plugins:/f"
    assert found["ANSIBLE_LIBRARY"] == f"{ROOT}/library:/theirs"
    ours = "ready_commands,ready_fleet,ready_modules,ready_sources,ready_values"
    assert found["ANSIBLE_CALLBACKS_ENABLED"] == f"{ours},timer"
    enabled = found["ANSIBLE_INVENTORY_ENABLED"].split(",")
    assert (enabled[:3], enabled[-1]) == (["yaml", "constructed", "host_list"], "ready_unread")
    assert found["ANSIBLE_INVENTORY"] == f"{ROOT}/inventories/local"
    config.write_text("[defaults]\ninventory = mine\n")
    assert ansible_settings.ansible_environment()["ANSIBLE_INVENTORY"] == f"{tmp_path}/mine"
    config.write_text("[defaults]\n")
    monkeypatch.setenv("ANSIBLE_INVENTORY", "/a,/b")
    assert ansible_settings.ansible_environment()["ANSIBLE_INVENTORY"] == "/a,/b"
    assert {".pem", ".vault", ".theirs"} <= set(found["ANSIBLE_INVENTORY_IGNORE"].split(","))
    assert not {name for name in found if "FORKS" in name or ("CONFIG" in name and name != "ANSIBLE_CONFIG")}


def test_a_configuration_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Named in a line, without its text."""
    (tmp_path / "ansible.cfg").write_text("hunter2\n")
    monkeypatch.setenv("ANSIBLE_CONFIG", str(tmp_path / "ansible.cfg"))
    with pytest.raises(SystemExit):
        ansible_settings.ansible_environment()
    said = capsys.readouterr().err
    assert f"ready: {tmp_path}/ansible.cfg: found something that can't be read" in said
    assert "hunter2" not in said


def test_own_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to set; a path that the environment overrides is set with Ready's in front."""
    for variable, *_ in (*ansible_settings.PATHS.values(), *ansible_settings.LISTS.values()):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv(ansible_settings.CACHE, raising=False)
    monkeypatch.setenv("ANSIBLE_CONFIG", str(ROOT / "ansible.cfg"))
    assert ansible_settings.ansible_environment() == {}
    monkeypatch.setenv("ANSIBLE_ROLES_PATH", "/theirs")
    assert ansible_settings.ansible_environment()["ANSIBLE_ROLES_PATH"] == f"{ROOT}/roles:/theirs"


def test_every_path_of_the_configuration_is_covered() -> None:
    """A plugin directory that ansible.cfg names has to be found beside a foreign configuration too."""
    text = (ROOT / "ansible.cfg").read_text()
    lines = [line.partition(" = ") for line in text.partition("[inventory]")[0].splitlines()]
    named = {value for name, _, value in lines if name.endswith(("_plugins", "_path", "library", "module_utils"))}
    assert len(named) == len(ansible_settings.PATHS)
    assert named <= {directory for _, directory in ansible_settings.PATHS.values()}
    assert all(ansible_settings.listed_in_ansible_cfg().values())


def test_init_prints_a_command_for_the_shell(tmp_path: Path) -> None:
    """A name with a space is one word when it is pasted."""
    done = launched("init", "my inv", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"then {ROOT}/ready up -i 'my inv/inventory'\n")


def test_a_run_with_all_of_it(tmp_path: Path) -> None:
    """Roles, modules and plugins are found with foreign paths, a foreign configuration and another directory."""
    launched("init", "my inv", directory=tmp_path)
    config = tmp_path / "ansible.cfg"
    config.write_text("[defaults]\nroles_path = nowhere\nlibrary = nowhere\nlog_path = log\n")
    done = launched(
        *("status", "-i", "my inv/inventory"),
        directory=tmp_path,
        ANSIBLE_ROLES_PATH="/nowhere",
        ANSIBLE_CONFIG=str(config),
        LC_ALL="C",
        DOCKER_HOST="unix:///no",
    )
    said = done.stdout + done.stderr
    assert "Read the state" in said, said
    assert "was not found" not in said, said
    assert "Traceback" not in said, said
    assert (tmp_path / "log").exists(), "the user's configuration is not in force"
