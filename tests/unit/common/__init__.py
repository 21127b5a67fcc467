"""Decisions of module_utils/ready/common."""
