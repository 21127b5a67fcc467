"""The project as a whole: its modules, documents and startup."""
