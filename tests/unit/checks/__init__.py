"""Decisions of module_utils/ready/checks."""
