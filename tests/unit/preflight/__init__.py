"""Decisions of module_utils/ready/preflight."""
