"""Allgate: a self-hosted gateway to every AI model."""
