"""Restores: what is put in place, kept and undone."""
