"""Decisions of module_utils/ready/evidence."""
