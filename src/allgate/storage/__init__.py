"""SQL and files behind the ports of the floors below."""
