# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Let runs of this checkout share packed modules."""

from __future__ import annotations

import sys
from pathlib import Path

import ansible
from ansible import constants
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))  # Ansible offers module_utils to modules alone

from ready.cli.ansible_settings import cache_directory  # noqa: E402
from ready.cli.module_cache import fingerprint, share_packed_modules  # noqa: E402

DOCUMENTATION = r"""
name: ready_modules
type: aggregate
short_description: Keep packed modules from run to run
description:
  - Ansible packs each module once in each run. With this plugin a run takes what an earlier one has packed, unless
    anything that is packed has changed.
  - Packed modules are in C(modules) of E(READY_CACHE), by default C(.cache) of the checkout, for its user alone. They
    hold no arguments and no secrets.
requirements: [enabled in C(ansible.cfg)]
"""


def collections() -> list[str]:
    """Return the directories that hold ansible_collections: Ansible's list, and what the package `ansible` brings."""
    return [*map(str, constants.COLLECTIONS_PATHS), str(Path(ansible.__file__).parents[1])]


class CallbackModule(CallbackBase):
    """See DOCUMENTATION. It prints nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "ready_modules"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: object) -> None:
        """Link the run's directory of packed modules."""
        del playbook
        key = fingerprint(ROOT, collections(), [__version__])
        share_packed_modules(Path(constants.DEFAULT_LOCAL_TMP), cache_directory() / "modules", key)
