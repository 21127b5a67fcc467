# judged: WIN01
# from kailash 2.65.0: kailash/security.py, lines 118-128
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

try:
    # fine: WIN01
    import resource  # Unix-only module
except ImportError:  # pragma: no cover - Windows
    resource = None  # type: ignore[assignment]
