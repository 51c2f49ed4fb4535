"""Anthropic Messages as one record."""

from allgate.simulator.anthropic import errors
from allgate.simulator.anthropic.reply import is_count, whole
from allgate.simulator.anthropic.request import read, read_count
from allgate.simulator.anthropic.stream import IDLE, failure, frames
from allgate.simulator.exchange import EVENT_STREAM, Dialect

ANTHROPIC = Dialect(
    name="anthropic",
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
