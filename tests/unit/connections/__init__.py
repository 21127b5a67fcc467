"""Decisions of module_utils/ready/connections."""
