"""OpenAI Responses as one record."""

from allgate.simulator.exchange import EVENT_STREAM, Dialect
from allgate.simulator.openai import errors
from allgate.simulator.openai_responses.reply import is_count, whole
from allgate.simulator.openai_responses.request import read, read_count
from allgate.simulator.openai_responses.stream import IDLE, failure, frames

OPENAI_RESPONSES = Dialect(
    name="openai_responses",
    key=errors.key,
    read=lambda request, body, secret: (read_count if is_count(request) else read)(request, body, secret),
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
