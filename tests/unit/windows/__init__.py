"""Decisions of module_utils/ready/windows."""
