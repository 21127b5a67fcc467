# judged: WIN03
# from kailash 2.65.0: kailash/nodes/data/file_discovery.py, lines 478-490 (a line of context is ours)
def _calculate_checksums(self, file_path: str) -> dict[str, str]:
    """Calculate MD5 and SHA256 checksums for a file."""
    checksums = {}

    try:
        md5_hash = hashlib.md5()
        sha256_hash = hashlib.sha256()

        # fine: WIN03
        with open(file_path, "rb") as f:
            # Read file in chunks to handle large files efficiently
            for chunk in iter(lambda: f.read(4096), b""):
                md5_hash.update(chunk)
                sha256_hash.update(chunk)
    except OSError:
        return checksums
