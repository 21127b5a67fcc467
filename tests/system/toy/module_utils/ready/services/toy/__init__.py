# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A toy."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Ansible sends a module what import statements name
    from . import connection, probe, security_probe, workload  # noqa: F401
