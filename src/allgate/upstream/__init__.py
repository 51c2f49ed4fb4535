"""Outbound HTTP: the connection pool, and the guarded door for user-supplied URLs."""
