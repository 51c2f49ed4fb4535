"""OpenAI Chat Completions as one record."""

from allgate.simulator.exchange import EVENT_STREAM, Dialect
from allgate.simulator.openai import errors
from allgate.simulator.openai_chat.reply import whole
from allgate.simulator.openai_chat.request import read
from allgate.simulator.openai_chat.stream import IDLE, failure, frames

OPENAI_CHAT = Dialect(
    name="openai_chat",
    key=errors.key,
    read=read,
    whole=whole,
    frames=frames,
    headers=errors.headers,
    rejection=errors.rejection,
    fault=errors.fault,
    failure=failure,
    idle=IDLE,
    retry_headers=errors.retry_headers,
    stream_type=lambda _request: EVENT_STREAM,
)
