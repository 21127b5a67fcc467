"""The files of services are what they were: other bytes recreate the containers of every stack at its next `up`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ready.stack.definitions import load_definitions
from ready.stack.render import render_files
from ready.stack.resolved import containers, mounted_accounts

from tests.unit.conftest import resolved_stack

KNOWN = Path(__file__).with_name("files.json")


def test_files_of_services_are_unchanged() -> None:
    """One that must change: CHANGELOG.md says which containers are recreated, and files.json takes its new digest."""
    stack = resolved_stack(ready_services=list(load_definitions()), backup_pitr=True, backup_repository="/srv/x")
    found = {}
    for name, its in containers(stack).items():
        digest = hashlib.sha256()
        for file in render_files(its, {account: f"password-of-{account}" for account in mounted_accounts(its)}, {}):
            digest.update(file.path.encode() + b"\0" + file.content + b"\0")
        found[name] = digest.hexdigest()[:16]
    known = json.loads(KNOWN.read_text())  # a new service is in no stack yet
    assert {name: found.get(name) for name in known} == known
