"""Anthropic Messages, in both of its API versions."""
