# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The labels of what Ready makes in Docker. They are on disk everywhere: none of them changes."""

from __future__ import annotations

LABEL_STACK = "io.ready.stack"
LABEL_SERVICE = "io.ready.service"
LABEL_CONFIG = "io.ready.config"
#: The image that `up` made a container of; no part of what the inventory asks for, since a container keeps its image.
LABEL_IMAGE_ID = "io.ready.image_id"
LABEL_SOURCE = "io.ready.source"
LABEL_DATA_FORMAT = "io.ready.data_format"
LABEL_ENGINE = "io.ready.engine_version"
#: On the copy of old data that an upgrade keeps: its service, and the volume that it is a copy of.
LABEL_KEPT, LABEL_KEPT_OF = "io.ready.kept", "io.ready.kept_of"
#: On the copy that something else than an upgrade keeps: what.
LABEL_KEPT_FOR = "io.ready.kept_for"
#: On what an upgrade needs only while it runs: whatever carries it is removed when it ends.
LABEL_UPGRADE = "io.ready.upgrade"
#: On what the trial of a changed service needs: its name.
LABEL_TRIAL = "io.ready.trial"
#: On what keeps a container and its files that are being replaced: its service. The container itself has another name.
LABEL_REPLACED, REPLACED = "io.ready.replaced", "-replaced"
#: On the container of a job beside the stack: its kind. It is no part of the stack, and is never compared with it.
LABEL_JOB = "io.ready.job"
#: On a container: which model it serves, `<name>@<first digits of its SHA-256>`, a label per role.
LABEL_MODEL = "io.ready.model."
#: On a volume whose content `up` can make again: what it holds.
LABEL_HOLDS, COPIES = "io.ready.holds", "copies"
#: Whatever carries one of these is of a run that was killed, and goes by the next one.
LEFTOVERS = frozenset({LABEL_TRIAL, LABEL_REPLACED})
