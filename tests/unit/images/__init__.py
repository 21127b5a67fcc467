"""Decisions of module_utils/ready/images."""
