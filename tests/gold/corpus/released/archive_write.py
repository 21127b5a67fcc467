# judged: WIN03
# from kailash 2.65.0: kailash/nodes/compliance/data_retention.py, lines 1275-1279
# Write archive file
# found: WIN03
with open(archive_path, "w") as f:
    json.dump(archive_data, f, indent=2)

return archive_path
