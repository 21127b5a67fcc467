"""Decisions of module_utils/ready/upgrades."""
