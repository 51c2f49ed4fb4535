"""Use cases: one request from top to bottom."""
