"""Decisions of module_utils/ready/docker."""
