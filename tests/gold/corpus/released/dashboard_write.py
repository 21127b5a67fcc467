# judged: WIN03
# from kailash 2.65.0: kailash/visualization/live_dashboard.py, lines 91-95 (a line of context is ours)
from pathlib import Path
path = Path(path)
path.parent.mkdir(parents=True, exist_ok=True)
# fine: WIN03
path.write_text(self.render(), encoding="utf-8")
logger.info("Live dashboard written to %s", path)
return path.resolve()
