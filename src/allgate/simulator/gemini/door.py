"""Gemini generateContent as one record."""

from allgate.simulator.exchange import Dialect
from allgate.simulator.gemini import errors
from allgate.simulator.gemini.reply import whole
from allgate.simulator.gemini.request import read
from allgate.simulator.gemini.stream import IDLE, failure, frames

GEMINI = Dialect(
    name="gemini",
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
    stream_type=lambda request: (
        b"application/json; charset=UTF-8" if errors.is_array(request) else b"text/event-stream"
    ),
)
