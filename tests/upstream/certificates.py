"""An authority of our own, for servers on 127.0.0.1 that are called localhost."""

import ssl
from pathlib import Path

import trustme


class Authority:
    """Issues server certificates; `file` is what a client has to trust."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.file = str(folder / "authority.pem")
        self._ca.cert_pem.write_to_path(self.file)

    def server(self, *names: str) -> ssl.SSLContext:
        """The context of a server that is called `names`."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(["h2", "http/1.1"])
        self._ca.issue_cert(*names).configure_cert(context)
        return context
