"""What the process says: structlog, one JSON object per line on standard error.

Secrets do not show themselves (`core.secret`), but a library may log a header or a URL: a last processor blanks every
value whose key names a credential, and everything in a text that looks like a key.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Literal

import structlog

from allgate.wire.json import Json

_SECRET_KEYS = re.compile(
    r"authorization|api[-_]?key|secret|password|token$|cookie|credential", re.IGNORECASE
)
_SECRET_TEXT = re.compile(r"\b(sk-|Bearer\s+|AIza|gsk_|xai-)[A-Za-z0-9_\-.]{8,}")
BLANK = "(secret)"


def set_up(level: str, form: Literal["json", "text"]) -> None:
    """Send our lines and those of the standard library's loggers to standard error. `level`: debug … error."""
    renderer = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def without_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Json]
) -> MutableMapping[str, Json]:
    """Blank what names or looks like a credential."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = BLANK if _SECRET_KEYS.search(key) else _SECRET_TEXT.sub(BLANK, value)
    return event
