# judged: WIN04
# from kailash 2.65.0: kailash/nodes/compliance/data_retention.py, lines 140-149 (a line of context is ours)
def __init__(
    self,
    name: str = "data_retention_policy",
    policies: Optional[Dict[str, str]] = None,
    auto_delete: bool = False,
    archive_before_delete: bool = True,
    # found: WIN04
    archive_location: str = "/tmp/kailash_archives",
    scan_interval_hours: int = 24,
    **kwargs,
):
    pass
