"""Decisions about the repository, and what restic prints."""
