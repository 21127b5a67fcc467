# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The marks on what Ready makes on Windows. What does not carry one is never changed or removed."""

from __future__ import annotations

#: The first word of our firewall rules' names, and the folder of our scheduled tasks.
RULE_PREFIX = "Ready"
#: Where the scripts of our tasks are: nobody but administrators may write there.
FOLDER = f"C:\\Program Files\\{RULE_PREFIX}"
