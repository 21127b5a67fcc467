# judged: WIN04
# from kailash 2.65.0: kailash/middleware/gateway/checkpoint_manager.py, lines 96-102 (a line of context is ours)
from pathlib import Path
class DiskStorage:
    """Disk-based storage backend."""

    # found: WIN04
    def __init__(self, base_path: str = "/tmp/kailash_checkpoints"):
        self.base_path = Path(base_path)
        self.base_path.mkdir(parents=True, exist_ok=True)
        self._lock = asyncio.Lock()
