"""The ASGI edge: sockets and headers in, bytes out."""
