# judged: WIN04
# from kailash-nexus 2.16.0: nexus/discovery.py, lines 46-53 (a line of context is ours)
from pathlib import Path
try:
    self.base_path = Path(base_path or os.getcwd())
except (OSError, FileNotFoundError):
    # Fallback to a safe directory if current working directory is not accessible
    # found: WIN04
    self.base_path = Path("/tmp")
    logger.warning(
        f"Could not access current directory, using fallback: {self.base_path}"
    )
