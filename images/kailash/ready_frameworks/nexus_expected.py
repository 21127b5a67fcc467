# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the example application must answer over Nexus, and how an answer is compared with it."""

from __future__ import annotations

import json
from typing import Any


class Found(Exception):  # noqa: N818 - no error of the program: what a check found
    """Something differs from what is expected; the message has the form of a finding's detail."""


def quote(quantity: int) -> dict[str, Any]:
    """Return what the workflow price_quote is given."""
    return {"quantity": quantity, "unit_price": 19.5}


def price(quantity: int, unit_price: float) -> dict[str, Any]:
    """Return what the workflow price_quote must give: computed here in whole cents, not by the application."""
    net = quantity * round(unit_price * 100)
    tax = (net * 19 + 50) // 100
    return {"quantity": quantity, "net_cents": net, "vat_cents": tax, "gross_cents": net + tax}


def same(what: str, found: Any, expected: Any) -> None:
    """Compare as a whole; show what differs."""
    if isinstance(found, dict) and isinstance(expected, dict) and found != expected:
        names = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
        found, expected = ({name: each.get(name) for name in names} for each in (found, expected))
    if found != expected:
        raise Found(f"{what}: found {short(found)}; expected {short(expected)}")


def short(value: Any) -> str:
    """Return a value as a message shows it, in 90 characters at most."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= 90 else f"{text[:89]}…"
