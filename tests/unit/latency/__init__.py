"""Decisions of module_utils/ready/latency."""
