"""The control socket: where a serving process takes the operator's commands (ruling 21).

A Unix socket beside the database, readable by its owner only: the file's mode is the sign-in. The lock file names it,
so a command that finds the database taken knows where to go. One connection, one command: JSON up to the end of what
the client sends, JSON back. (The admin API of the console will run the same commands over HTTP.)
"""

import asyncio
import logging
import os
import socket
import tempfile
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec

from allgate.admin.commands import Order
from allgate.admin.records import decode_secret, encode_secret
from allgate.admin.rows import ConfigError
from allgate.core.value import Value
from allgate.wiring.configuration import Done

COMMAND_BYTES_MAX = 64 * 1024 * 1024
"""Four times the largest file that `apply` reads."""

PIECE_BYTES = 256 * 1024
"""Read at once."""

COMMAND_S_MAX = 60.0
"""From connection to answer. A command that is still waiting for the disk then has failed."""

PATH_BYTES_MAX = 100
"""A socket's address holds 104 to 108 bytes. A longer path gets a socket in a folder of its own."""

_log = logging.getLogger("allgate.control")


class Failed(Value, frozen=True, kw_only=True, tag="failed"):
    """The command was not carried out."""

    where: str
    key: str
    reason: str


class Carried(Value, frozen=True, kw_only=True, tag="carried"):
    done: Done


Reply: TypeAlias = Failed | Carried


class Orders(Protocol):
    """Whoever carries orders out."""

    def run(self, order: Order) -> Done:
        """Blocks. Raises: ConfigError: it cannot be done."""
        ...


class ControlServer:
    """Listens from `start` to `close`. `path` is where."""

    def __init__(self, orders: Orders, database: Path) -> None:
        self._orders = orders
        self._server: asyncio.Server | None = None
        beside = database.with_name(database.name + ".sock")
        self._folder = (
            None if len(os.fsencode(beside)) <= PATH_BYTES_MAX else tempfile.mkdtemp(prefix="allgate-")
        )
        self.path = Path(self._folder) / "control.sock" if self._folder else beside

    async def start(self) -> None:
        self.path.unlink(missing_ok=True)  # of a process that was killed: we hold the lock, so it is gone
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            listener.bind(os.fspath(self.path))
        finally:
            os.umask(mask)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=PIECE_BYTES)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self.path.unlink(missing_ok=True)
        if self._folder:
            os.rmdir(self._folder)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(COMMAND_S_MAX):
                reply = await self._reply(reader)
                writer.write(msgspec.json.encode(reply, enc_hook=encode_secret))
                await writer.drain()
        except (OSError, TimeoutError) as error:
            _log.warning("command not answered", extra={"error": repr(error)})
        finally:
            writer.close()

    async def _reply(self, reader: asyncio.StreamReader) -> Reply:
        try:
            order = msgspec.json.decode(await _whole(reader), type=Order, dec_hook=decode_secret)
            done = await asyncio.to_thread(self._orders.run, order)
        except ConfigError as error:
            return Failed(where=error.where, key=error.key, reason=error.reason)
        except Exception as error:
            _log.exception("command failed")
            return Failed(
                where="", key="", reason=f"the server could not do it: {type(error).__name__}: {error}"
            )
        return Carried(done=done)


async def _whole(reader: asyncio.StreamReader) -> bytes:
    text = bytearray()
    while piece := await reader.read(PIECE_BYTES):
        text += piece
        if len(text) > COMMAND_BYTES_MAX:
            raise ConfigError("", "", f"a command is at most {COMMAND_BYTES_MAX} bytes")
    return bytes(text)


def send(path: Path, command: Order) -> Done:
    """Have the process at `path` carry the command out; blocks. Raises: ConfigError; OSError: nobody answers there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(COMMAND_S_MAX)
        connection.connect(os.fspath(path))
        connection.sendall(msgspec.json.encode(command, enc_hook=encode_secret))
        connection.shutdown(socket.SHUT_WR)
        text = b"".join(iter(lambda: connection.recv(PIECE_BYTES), b""))
    reply = msgspec.json.decode(text, type=Reply, dec_hook=decode_secret)
    if isinstance(reply, Failed):
        raise ConfigError(reply.where, reply.key, reply.reason)
    return reply.done
