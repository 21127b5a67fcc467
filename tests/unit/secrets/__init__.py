"""Decisions of module_utils/ready/secrets."""
