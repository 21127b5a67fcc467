"""Runs beside the stack."""
