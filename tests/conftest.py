"""Marks what tests/long.yml names, by test or by whole step: `./ready test` leaves it out, --all does not."""

from __future__ import annotations

import pytest

from tools.testing.choice import is_long, long_list


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them."""
    listed = long_list()
    for item in items:
        module = ".".join(item.path.relative_to(item.config.rootpath).with_suffix("").parts)
        if is_long(f"{module}::{item.name}", listed):
            item.add_marker(pytest.mark.long)
