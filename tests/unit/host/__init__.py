"""Decisions of module_utils/ready/host."""
