"""How an upgrade copies a volume."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ready.backups import helper_containers
from ready.backups.manifest import BackupError
from ready.common.labels import LABEL_STACK, LABEL_UPGRADE
from ready.docker.spec import ContainerSpec
from ready.upgrades.service_upgrade import ServiceUpgrade


@pytest.mark.parametrize("code", [0, 1])
def test_the_copier_is_found_again_and_only_reads_the_source(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """By the upgrade's labels, should the run be killed; it is removed however it ends."""
    made: list[ContainerSpec] = []
    removed: list[bool] = []
    helper = SimpleNamespace(
        start=lambda: None,
        wait=lambda timeout: {"StatusCode": code},
        logs=lambda: b"no space left",
        remove=lambda v, force: removed.append(v and force),
    )

    def create(_: object, spec: ContainerSpec) -> Any:
        made.append(spec)
        return helper

    monkeypatch.setattr(helper_containers, "create", create)
    client: Any = None
    stack = {"name": "s", "services": {"redis": {"name": "redis"}}}
    upgrade = ServiceUpgrade(client, stack, {"service": "redis", "before": {"id": "old"}}, 1.0)
    if code:
        with pytest.raises(BackupError, match="copying the volume a to b: ended with 1: no space left"):
            upgrade._copy("a", "b")
    else:
        upgrade._copy("a", "b")
    assert removed == [True]
    assert made[0].labels == {LABEL_STACK: "s", LABEL_UPGRADE: "redis"}
    assert made[0].volumes == {"/from": "a:ro", "/to": "b:rw"}
