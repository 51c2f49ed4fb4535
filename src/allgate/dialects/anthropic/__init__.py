"""Anthropic Messages, both API versions."""
