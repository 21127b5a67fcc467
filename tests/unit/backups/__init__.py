"""Decisions of module_utils/ready/backups."""
