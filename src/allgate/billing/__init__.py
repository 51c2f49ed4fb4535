"""Decisions on money: price, hold, settle. Pure."""
