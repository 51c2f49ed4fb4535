"""A provider that says what a recording says: the model's name in the request picks which one.

Where a recorded turn was paused and the gateway goes on with it, the next recording of the conversation is what comes, or
an end without a word.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from recorded import Recording

_GEMINI_MODEL = re.compile(r"/models/([^:/]+):")
_WORDLESS_END = b"".join(
    b"event: %b\ndata: %b\n\n" % (event["type"].encode(), json.dumps(event).encode())
    for event in (
        {"type": "message_start", "message": {"id": "msg_end", "type": "message", "role": "assistant", "content": [], "usage": {"input_tokens": 0, "output_tokens": 0}}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 0}},
        {"type": "message_stop"},
    )
)  # fmt: skip


@asynccontextmanager
async def replay(
    recordings: Mapping[str, Recording],
    goes_on: Mapping[str, Recording] | None = None,
    bodies: list | None = None,
) -> AsyncGenerator[str]:
    """Serve `recordings` by model name on loopback; gives the origin's URL.

    `goes_on` is what comes when a paused turn goes on; `bodies` gets what was asked.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                found = _GEMINI_MODEL.search(head)
                asked = json.loads(body)
                if bodies is not None:
                    bodies.append(asked)
                model = found[1] if found else asked["model"]
                recording = recordings[model]
                reply = recording.reply
                if b"pause_turn" in reply and asked["messages"][-1]["role"] == "assistant":
                    reply = goes_on[model].reply if goes_on else _WORDLESS_END
                kind = "text/event-stream" if recording.stream else "application/json"
                writer.write(
                    f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(reply)}\r\n\r\n".encode()
                )
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
