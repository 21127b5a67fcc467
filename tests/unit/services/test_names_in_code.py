"""Code names a service in its own package and the registry; elsewhere only what is listed here, each for a reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ready.registry import NAMES

ROOT = Path(__file__).resolve().parents[3]
#: A word of its own in YAML, networks and models.
COMMON = frozenset({"gateway"})
#: File or directory -> why it names services.
ALLOWED = {
    "module_utils/ready/registry.py": "it is the registry",
    "module_utils/ready/services": "they are there",
    "module_utils/ready/backups/postgresql": "PostgreSQL's WAL and schema have no counterpart in another store",
    "module_utils/ready/applications": "the application of `frameworks` has its tables there, and asks the AI service",
    "module_utils/ready/common/tls_client.py": "a port's protocol has that name",
    "module_utils/ready/security/tls_probe.py": "a port's protocol has that name",
    "module_utils/ready/secrets/secrets_file.py": "passwords from documentation, which are refused",
    "module_utils/ready/testapp": "the image `kailash` has what looks into these stores",
    "action_plugins/test_app.py": "the image `kailash` has what looks into these stores",
    "module_utils/ready/gold": "names in the code of applications",
}


def named(file: Path) -> Iterator[str]:
    """Give each line with a text that is the name of a service and nothing else."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and node.value in NAMES and node.value not in COMMON:
            yield f"{file.relative_to(ROOT)}:{node.lineno}: {node.value}"


def test_code_names_no_service() -> None:
    """What depends on one is a fact of its definition, or a part of the service."""
    found: dict[str, list[str]] = {}
    for top in ("module_utils/ready", "library", "action_plugins", "filter_plugins", "callback_plugins"):
        for file in sorted((ROOT / top).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            place = next((its for its in ALLOWED if path == its or path.startswith(f"{its}/")), "")
            found.setdefault(place, []).extend(named(file))
    assert found.pop("") == []
    assert [place for place in ALLOWED if not found[place]] == []
