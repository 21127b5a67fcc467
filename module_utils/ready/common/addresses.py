# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Host and port in the forms that URLs and messages have. Pure functions."""

from __future__ import annotations


def host_port(host: str, port: int) -> str:
    """Return host and port as an address has them: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
