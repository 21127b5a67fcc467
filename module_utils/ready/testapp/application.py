# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory's `application`, judged before anything is made. Runs on the controller: needs `packaging`."""

from __future__ import annotations

import configparser
import email
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib

from ..common.spelling import hint
from .required_packages import Wanted, WantedError, read

KEYS = ("path", "tests", "models", "python", "requirements", "command")
#: The Python of the image, by the Debian release that it stands on.
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
PYTEST = ("python", "-m", "pytest")


class ApplicationError(ValueError):
    """The application can't be tested as the inventory says; the message says what was found and comes next."""


@dataclass(frozen=True)
class Application:
    """What is tested.

    Attributes:
        path: its directory on the controller.
        tests: where its tests are, below `path`; "" where pytest is to find them.
        python: the release of Python that it runs with.
        command: what runs the tests.
        wanted: the packages that it needs beside the image's own.
    """

    path: Path
    tests: str
    python: str
    command: tuple[str, ...]
    wanted: Wanted


def resolve(given: Mapping[str, Any], suite: str) -> Application:
    """Return the application that the inventory names. Raises ApplicationError; nothing was done then."""
    for key in given:
        if key not in KEYS:
            raise ApplicationError(
                f"application: found {key}, expected one of {', '.join(KEYS)}{hint(key, KEYS)}. {_NEXT}"
            )
    if not given.get("path"):
        raise ApplicationError(
            "application: found none in the inventory, expected the directory of one on this machine. "
            "Next: application: {path: /home/me/shop} in the inventory"
        )
    path = Path(str(given["path"])).expanduser()
    if not path.is_absolute():
        raise ApplicationError(f"application.path: found {path}, expected an absolute path. {_NEXT}")
    if not path.is_dir():
        what = "a file" if path.exists() else "nothing there"
        raise ApplicationError(f"application.path: found {what} ({path}), expected a directory. {_NEXT}")
    for key in ("requirements", "command"):
        if given.get(key) is not None and not isinstance(given[key], (list, tuple)):
            example = "[requirements.txt]" if key == "requirements" else "[pytest, tests/unit]"
            raise ApplicationError(
                f"application.{key}: found {str(given[key])[:80]!r}, expected a list, such as {example}. {_NEXT}"
            )
    tests = _below(path, given, "tests")
    _below(path, given, "models")
    python = _python(path, given, suite)
    try:
        wanted = read(path, [str(item) for item in given.get("requirements") or []])
    except WantedError as error:
        raise ApplicationError(f"application.requirements: {error} {_NEXT}") from error
    return Application(path, tests, python, _command(given.get("command"), tests), wanted)


_NEXT = "Nothing was changed. Next: correct it in the inventory"


def _below(path: Path, given: Mapping[str, Any], key: str) -> str:
    """Return a path below the application's as text, "" for none."""
    if not given.get(key):
        return ""
    inner = Path(path, str(given[key])).resolve()
    if not inner.is_relative_to(path.resolve()):
        raise ApplicationError(f"application.{key}: found {given[key]}, expected a path below {path}. {_NEXT}")
    if not inner.exists():
        raise ApplicationError(f"application.{key}: found nothing at {inner}, expected a file or directory. {_NEXT}")
    return str(inner.relative_to(path.resolve()))


def _command(given: Sequence[Any] | None, tests: str) -> tuple[str, ...]:
    if given is None:
        return (*PYTEST, *([tests] if tests else []))
    command = tuple(str(word) for word in given)
    if not command or not command[0] or any("\0" in word for word in command):
        raise ApplicationError(
            "application.command: found no command, expected a program and its arguments as a list, such as "
            f"[pytest, tests/unit]. {_NEXT}"
        )
    return command


def _python(path: Path, given: Mapping[str, Any], suite: str) -> str:
    """Return the image's Python, if it is what the application needs."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    has = PYTHONS[suite]
    wanted = str(given.get("python") or "")
    if wanted and not re.fullmatch(r"\d+\.\d+", wanted):
        raise ApplicationError(f'application.python: found {wanted}, expected a release such as "{has}". {_NEXT}')
    if wanted and wanted != has:
        raise ApplicationError(
            f"application.python: found {wanted}, expected {has}: the image of the Kailash packages has no other. "
            f"Nothing was changed. Next: test the application with Python {has}, or leave application.python out"
        )
    where, text = requires_python(path)
    try:
        specifier = SpecifierSet(text)
    except InvalidSpecifier as error:
        raise ApplicationError(f"{where}: found requires-python {text!r}, expected a specifier. {_NEXT}") from error
    # A bound such as >=3.11.4 is about the image's last digit, which it alone knows; the newest one is taken for it.
    if not (specifier.contains(f"{has}.99") or specifier.contains(f"{has}.0") or specifier.contains(has)):
        raise ApplicationError(
            f"{where}: found requires-python {text}, expected one that Python {has} fits: the image of the Kailash "
            "packages has no other. Nothing was changed. Next: an application that runs with it"
        )
    return has


def requires_python(path: Path) -> tuple[str, str]:
    """Return (file, specifier) of what an application says of its Python, "" for nothing. Raises ApplicationError."""
    project = path / "pyproject.toml"
    if project.is_file():
        try:
            its = tomllib.loads(project.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ApplicationError(
                f"{project}: found no TOML ({error}), expected a project's settings. {_NEXT}"
            ) from error
        if text := its.get("project", {}).get("requires-python"):
            return str(project), str(text)
    setup = path / "setup.cfg"
    if setup.is_file():
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(setup.read_text(encoding="utf-8"))
        except (OSError, ValueError, configparser.Error):
            parser = configparser.RawConfigParser()
        if text := parser.get("options", "python_requires", fallback=""):
            return str(setup), text
    info = path / "PKG-INFO"
    if info.is_file():
        headers = email.message_from_string(info.read_text(encoding="utf-8", errors="replace"))
        return str(info), str(headers.get("Requires-Python") or "")
    return str(project), ""
