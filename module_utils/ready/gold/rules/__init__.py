# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All rules, in the order of their ids. A module of rules offers them as RULES."""

from __future__ import annotations

from ..model import Rule
from . import imports, mocks, nodes, parameters, portable, quality, secrets, security, windows, workflows

_MODULES = (imports, mocks, nodes, parameters, portable, quality, secrets, security, windows, workflows)
RULES: tuple[Rule, ...] = tuple(sorted((rule for its in _MODULES for rule in its.RULES), key=lambda rule: rule.id))
BY_ID = {rule.id: rule for rule in RULES}
