"""Decisions of module_utils/ready/services."""
