# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that others write too: .wslconfig, wsl.conf, settings-store.json. Only the keys of ours change."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

BOM = "\ufeff"
Sections = Mapping[str, Mapping[str, str | int | bool | None]]


class ConfigError(ValueError):
    """A file is not what its program could read. Its text says where."""


def decode(data: str | None) -> str | None:
    """Return base64 of a file's bytes as text; None stays None. Notepad's UTF-16 and byte order marks are read too."""
    if data is None:
        return None
    raw = base64.b64decode(data)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16")
    return raw.decode("utf-8-sig", "replace")


def shown(value: str | int | bool) -> str:
    """Return a value as WSL's files want it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _head(line: str) -> str | None:
    stripped = line.strip()
    return stripped[1:-1].strip().lower() if stripped.startswith("[") and stripped.endswith("]") else None


def _key(line: str) -> str | None:
    stripped = line.strip()
    if not stripped or stripped.startswith(("#", ";", "[")) or "=" not in stripped:
        return None
    return stripped.partition("=")[0].strip().lower()


def ini_values(text: str) -> dict[str, dict[str, str]]:
    """Return section -> key -> value; names in lower case, as WSL compares them, and the last one counts."""
    found: dict[str, dict[str, str]] = {}
    section = ""
    for line in text.splitlines():
        if (head := _head(line)) is not None:
            section = head
        elif (key := _key(line)) is not None:
            found.setdefault(section, {})[key] = line.partition("=")[2].strip()
    return found


def merge_ini(text: str | None, wanted: Sections) -> str:
    """Return an INI file with the wanted keys in it, and every other line, comment and order kept.

    Args:
        text: the file as it is; None for none.
        wanted: section -> key -> value; a value of None takes the key away.

    WSL ignores a whole file that it cannot parse, and configparser would drop comments and the case of keys.
    """
    lines = (text or "").lstrip(BOM).splitlines()
    for section, keys in wanted.items():
        for key, value in keys.items():
            lines = _put(lines, section, key, None if value is None else f"{key}={shown(value)}")
    return "".join(f"{line}\n" for line in lines)


def _put(lines: Sequence[str], section: str, key: str, entry: str | None) -> list[str]:
    result: list[str] = []
    inside, done, last = False, False, None
    for line in lines:
        if (head := _head(line)) is not None:
            inside = head == section.lower()
        if inside and _key(line) == key.lower():
            if entry is not None and not done:
                same = line.partition("=")[2].strip() == entry.partition("=")[2]
                result.append(line if same else entry)
                done, last = True, len(result)
            continue  # a second one of the same name would win over ours
        result.append(line)
        if inside and line.strip():
            last = len(result)
    if entry is not None and not done:
        if last is None:
            result += [*([""] if result and result[-1].strip() else []), f"[{section}]", entry]
        else:
            result.insert(last, entry)
    return result


def merge_settings(text: str | None, wanted: Mapping[str, Any]) -> str | None:
    """Return Docker Desktop's settings with the wanted values in them, or None when nothing differs.

    Lists are united, because a user's own entries are theirs. Raises ConfigError when the file is no JSON object:
    it is then left alone, for Docker Desktop keeps it in memory and writes it again.
    """
    try:
        held = json.loads((text or "{}").lstrip(BOM) or "{}")
    except json.JSONDecodeError as error:
        raise ConfigError(f"no valid JSON: {error}") from error
    if not isinstance(held, dict):
        raise ConfigError("no JSON object")
    merged = dict(held)
    for key, value in wanted.items():
        name = next((name for name in held if name.lower() == key.lower()), key)  # older releases write camelCase
        if isinstance(value, list):
            kept = [item for item in held.get(name) or [] if not str(item).startswith("docker-desktop")]
            merged[name] = kept + [item for item in value if item not in kept]
        else:
            merged[name] = value
    if merged == held and not (text or "").startswith(BOM):
        return None
    return json.dumps(merged, indent=2) + "\n"
