"""Decisions of module_utils/ready/gold."""
