# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A class per service that builds a fixture of stated size, asks it, and removes it. Runs where the services are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..common.lazy_table import Lazily
from ..registry import table
from .workload import Workload

#: Service -> its workload.
WORKLOADS: Lazily[Callable[[Any], Workload]] = table("workload")
