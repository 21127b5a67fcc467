# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find faults in the user's YAML before Ansible reads it. Runs on the controller, in the launcher.

Ansible quotes the lines around a slip in a file of `-e @FILE` and in an inventory, and names no file for one in
`group_vars`. Passwords of proxies, registries, buckets and Windows accounts stand there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..common.paths import ROOT
from ..secrets.secrets_file import fault_position
from .ansible_settings import listed_in_ansible_cfg
from .commands import extra_vars_argument

#: What Ansible reads as YAML or JSON in an inventory; in group_vars also what has no ending.
_ENDINGS = (".yml", ".yaml", ".json")
_VARIABLES = ("group_vars", "host_vars")
_NO_YAML = (
    "something that is no YAML, such as an open quote, a tab, a second document, "
    "or a value that begins with ! or * and has no quotes"
)
_UNREADABLE = "a value that YAML takes for a date or a number, and can't read; in quotes it is text"
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def extra_vars_files(words: Sequence[str]) -> Iterator[Path]:
    """Yield the files of `-e @FILE` among the words for ansible-playbook."""
    for word, following in zip(words, [*words, ""][1:], strict=True):
        option, joined = extra_vars_argument(word)
        value = following if joined is None else joined
        if option and value.startswith("@"):
            yield Path(value[1:]).expanduser()


def inventory_files(inventories: Sequence[str]) -> Iterator[Path]:
    """Yield the sources and the files of variables of inventories: directories, files, or lists of hosts."""
    for top in map(Path.expanduser, map(Path, inventories or (ROOT / "inventories" / "local",))):
        if top.is_dir():
            yield from (path for path in sorted(top.iterdir()) if path.suffix in _ENDINGS)
        elif top.suffix in _ENDINGS and "," not in str(top):
            yield top
        for name in _VARIABLES:
            yield from _variable_files((top if top.is_dir() else top.parent) / name)


def _variable_files(top: Path) -> Iterator[Path]:
    """Yield what Ansible takes: right below `top` a file or a directory has the name of a host, which may have dots."""
    for directory, below, names in top.walk(follow_symlinks=True):
        first = directory == top
        below[:] = sorted(name for name in below if name[0] != "." and (first or not Path(name).suffix))
        for path in (directory / name for name in sorted(names) if name[0] != "." and not name.endswith("~")):
            if path.suffix in {*_ENDINGS, ""} or (first and path.suffix not in _beside()):
                yield path


@cache
def _beside() -> set[str]:
    """Return the endings of what lies beside sources and is none."""
    return set(listed_in_ansible_cfg()["ANSIBLE_INVENTORY_IGNORE"])


def syntax_faults(paths: Iterable[Path]) -> list[str]:
    """Return a message per file that can't be read, or is neither YAML nor JSON; nothing of its text stands there."""
    messages = []
    for path in paths:
        if path.exists() and not path.is_file():  # a directory, or a pipe, which can be read once
            continue
        try:
            data = path.read_bytes()
        except OSError as error:
            messages.append(f"{path}: found no file that can be read ({error.strerror}), expected variables")
            continue
        if fault := syntax_fault(data):
            place, what = fault
            messages.append(f"{path}:{place} found {what}. Its text is not shown: it may hold a password.")
    return messages


class _Loader(_SafeLoader):  # type: ignore[misc,valid-type] # either of the two loaders
    """Reads what Ansible reads. A fault of any value has its place."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Name the place of a value that looks like a date or a number and is none."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise yaml.constructor.ConstructorError(_UNREADABLE, problem_mark=node.start_mark) from error


for _tag in ("!vault", "!vault-encrypted", "!unsafe"):
    _Loader.add_constructor(_tag, lambda loader, node: None)


def syntax_fault(data: bytes) -> tuple[str, str] | None:
    """Return why Ansible can't read a file's text: the place (" line 3, column 7", or nothing), and what is there.

    Nothing of the text is in it.
    """
    if data.startswith(b"$ANSIBLE_VAULT;"):
        return None
    try:
        json.loads(data)  # tabs may stand in JSON
    except ValueError:
        try:
            yaml.load(data, Loader=_Loader)  # noqa: S506 - a safe loader's child
        except yaml.YAMLError as error:
            value = getattr(error, "context", None) == _UNREADABLE
            return fault_position(error, data), _UNREADABLE if value else _NO_YAML
    return None
