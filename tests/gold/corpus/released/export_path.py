# judged: WIN04
# from kailash 2.65.0: kailash/nodes/compliance/gdpr.py, lines 1711-1714 (a line of context is ours)
return {
    "success": True,
    # found: WIN04
    "export_file": f"/tmp/exports/{user_id}_export.json",
    "format": format_type,
}
