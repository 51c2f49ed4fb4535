"""What the process says: one JSON object per line on standard error, or one readable line.

The standard library's logging, with our values in `extra`: a structured-logging library was measured at a quarter of the
whole start-up, because it imports a terminal renderer that a server never uses.

Secrets do not show themselves (`core.secret`), but a library may log a header or a URL: every value whose name says
credential is blanked, and so is everything in a text that looks like a key. A traceback shows code, never values.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Literal

_SECRET_KEYS = re.compile(
    r"authorization|api[-_]?key|secret|password|token$|cookie|credential", re.IGNORECASE
)
_SECRET_TEXT = re.compile(r"\b(sk-|Bearer\s+|AIza|gsk_|xai-)[A-Za-z0-9_\-.]{8,}")
BLANK = "(secret)"

# What every record has of its own; the rest came with `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def set_up(level: str, form: Literal["json", "text"]) -> None:
    """Send our lines and those of libraries to standard error. `level`: debug … error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


class _Json(logging.Formatter):
    """{"timestamp", "level", "logger", "event", our values…, "exception"}."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_fields(self, record), ensure_ascii=False, default=repr)


class _Text(logging.Formatter):
    """`2026-01-31T12:00:00Z info allgate.serve drained cut=0`."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(self, record)
        head = [str(fields.pop(name)) for name in ("timestamp", "level", "logger", "event")]
        trace = fields.pop("exception", None)
        line = " ".join((*head, *(f"{name}={value}" for name, value in fields.items())))
        return f"{line}\n{trace}" if trace else line


def _fields(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, object]:
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    fields: dict[str, object] = {
        "timestamp": time.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": record.getMessage(),
    }
    fields |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
    if record.exc_info:
        fields["exception"] = formatter.formatException(record.exc_info)
    return without_secrets(fields)


def without_secrets(fields: dict[str, object]) -> dict[str, object]:
    """Blank what names or looks like a credential."""
    return {
        name: (BLANK if _SECRET_KEYS.search(name) else _SECRET_TEXT.sub(BLANK, value))
        if isinstance(value, str)
        else value
        for name, value in fields.items()
    }
