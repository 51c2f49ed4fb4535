"""Who: base URL, sign-in, dialects spoken, quirks. Knows nothing about a format."""
