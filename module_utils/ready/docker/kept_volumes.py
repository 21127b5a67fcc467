# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Name and label the volumes that keep a service's data from before an upgrade or a restore."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..common.labels import LABEL_KEPT, LABEL_KEPT_FOR, LABEL_KEPT_OF, LABEL_SERVICE


def upgrade_copy_name(volume: str, release: str) -> str:
    """Return the name of the copy of a data volume from before an upgrade to a release line."""
    return f"{volume}_before_{release}"


def restore_copy_name(volume: str, now: datetime) -> str:
    """Return the name of the copy of a data volume from before a restore; `now` is in UTC."""
    return f"{volume}_before_restore_{now:%Y%m%dT%H%M%SZ}"


def upgrade_copy_labels(labels: Mapping[str, str], service: str, volume: str) -> dict[str, str]:
    """Return the labels of a copy: those of the original, but of no service, so that nobody takes it for its data."""
    others = {key: value for key, value in labels.items() if key != LABEL_SERVICE}
    return {**others, LABEL_KEPT: service, LABEL_KEPT_OF: volume}


def restore_copy_labels(labels: Mapping[str, str], service: str, volume: str) -> dict[str, str]:
    """Return the labels of a copy from before a restore, which tell it from one of before an upgrade."""
    return {**upgrade_copy_labels(labels, service, volume), LABEL_KEPT_FOR: "restore"}
