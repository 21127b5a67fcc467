"""Decisions of module_utils/ready/stack."""
