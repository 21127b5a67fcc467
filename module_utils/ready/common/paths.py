# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where this package lies, and on the controller the project around it."""

from __future__ import annotations

from pathlib import Path

#: The package `ready`: in a checkout, in the probes' environment, or in what Ansible sends to a host.
PACKAGE = Path(__file__).resolve().parents[1]
#: The project's root; on the controller alone.
ROOT = PACKAGE.parents[1]
