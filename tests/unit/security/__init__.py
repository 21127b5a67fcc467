"""Decisions of module_utils/ready/security."""
