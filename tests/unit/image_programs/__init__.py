"""The programs that are in images."""
