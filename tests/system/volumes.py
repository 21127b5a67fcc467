"""The volumes that nobody named: Docker makes one for each of an image's VOLUME lines that nothing is mounted on.

They are taken from Docker's events, for other stacks' containers on the same host have such volumes too.
"""

from __future__ import annotations

import re
from typing import Any

from ready.common.labels import LABEL_STACK

from tests.system.dockerevents import Events

ANONYMOUS = re.compile("[0-9a-f]{64}")


class Anonymous(Events):
    """Collects the anonymous volumes of a stack's containers and of their helpers while it is open.

    A container belongs to the stack by its label, by its name, or by mounting one of the stack's volumes.
    """

    def __init__(self, stack: str) -> None:
        super().__init__(stack, "mount")
        self._ours: set[str] = set()
        self._mounted: dict[str, set[str]] = {}

    def heard(self, event: dict[str, Any]) -> None:
        """Note which container it is, and what it mounts."""
        its, attributes = event["Actor"]["ID"], event["Actor"]["Attributes"]
        if event["Type"] == "volume":
            if its.startswith(f"{self._name}_"):
                self._ours.add(attributes["container"])
            self._mounted.setdefault(attributes["container"], set()).add(its)
        elif attributes.get(LABEL_STACK) == self._name or attributes["name"].startswith(self._name):
            self._ours.add(its)

    def volumes(self) -> set[str]:
        """Return their names, of everything that has happened up to now."""
        self.caught_up()
        of_stack = (self._mounted.get(container, set()) for container in self._ours)
        return {name for names in of_stack for name in names if ANONYMOUS.fullmatch(name)}
