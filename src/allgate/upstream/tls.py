"""TLS as a client: certificates and names are always verified, and only HTTP/1.1 is offered.

A context takes 30 ms to make (it parses some 150 certificates), so each is made once, off the loop.
"""

import asyncio
import ssl


class TlsContexts:
    """One context per file of trusted certificates; None: the machine's own (SSL_CERT_FILE is obeyed)."""

    def __init__(self) -> None:
        self._contexts: dict[str | None, ssl.SSLContext] = {}
        self._making = asyncio.Lock()

    async def context(self, ca_file: str | None) -> ssl.SSLContext:
        """Raises: OSError (ssl.SSLError): the file is not there, or holds no certificate."""
        if ca_file not in self._contexts:
            async with self._making:  # a burst of first connections makes one
                if ca_file not in self._contexts:
                    self._contexts[ca_file] = await asyncio.to_thread(_make, ca_file)
        return self._contexts[ca_file]


def _make(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def complaint(error: ssl.SSLError) -> str:
    """What was wrong, in OpenSSL's words but without its file names and line numbers."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    return (error.reason or "handshake failed").lower().replace("_", " ")
