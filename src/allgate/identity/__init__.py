"""Keys and what they permit. Pure."""
