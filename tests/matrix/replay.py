"""A provider that says what a recording says: the model's name in the request picks which one."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from recorded import Recording

_GEMINI_MODEL = re.compile(r"/models/([^:/]+):")


@asynccontextmanager
async def replay(recordings: Mapping[str, Recording]) -> AsyncGenerator[str]:
    """Serve `recordings` by model name on loopback; gives the origin's URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                found = _GEMINI_MODEL.search(head)
                recording = recordings[found[1] if found else json.loads(body)["model"]]
                kind = "text/event-stream" if recording.stream else "application/json"
                writer.write(
                    f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(recording.reply)}\r\n\r\n".encode()
                )
                writer.write(recording.reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
