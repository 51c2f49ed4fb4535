"""Decisions on values: which candidates, in which order, and whether another try is allowed."""
