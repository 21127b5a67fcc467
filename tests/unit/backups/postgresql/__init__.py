"""PostgreSQL in backups: what is decided without a server."""
