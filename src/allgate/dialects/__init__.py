"""Formats: one name each. A dialect knows its format and nothing about who speaks it."""
