"""Decisions of module_utils/ready/testapp."""
