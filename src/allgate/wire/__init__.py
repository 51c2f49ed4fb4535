"""The shape of bytes: SSE, JSON, headers, and requests as they came in. Knows no dialect."""
