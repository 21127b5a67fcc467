# judged: WIN03
# from kailash 2.65.0: kailash/migration/regression_detector.py, lines 840-841, 843-850 (a line of context is ours)
# found: WIN03
with open(self.baseline_path, "w") as f:
    json.dump(baseline_data, f, indent=2, default=str)
def _load_baselines(self) -> None:
    """Load baselines from disk."""
    if not self.baseline_path.exists():
        return

    try:
        # found: WIN03
        with open(self.baseline_path, "r") as f:
            baseline_data = json.load(f)
    except OSError:
        return
