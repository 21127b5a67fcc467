"""Decisions of module_utils/ready/cli."""
