"""`allgate ledger export`: rows as CSV or as one JSON object per line, written while they are read."""

import csv
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain

from allgate.admin.rows import ConfigError
from allgate.storage.export import exported
from allgate.wiring.database import reading
from allgate.wiring.settings import Settings


def export(settings: Settings, what: str, form: str, first: str | None, before: str | None) -> None:
    """Print the rows of the time. Raises: ConfigError: a time that is none."""
    from_ms = 0 if first is None else _time_ms(first, "from")
    before_ms = time.time_ns() // 1_000_000 if before is None else _time_ms(before, "before")
    with reading(settings) as jobs:
        rows = exported(jobs, what, from_ms, before_ms)
        try:
            for text in _csv(rows) if form == "csv" else map(_json, rows):
                sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _csv(rows: Iterable[dict[str, object]]) -> Iterator[str]:
    """Lines as RFC 4180 has them; the first names the columns. Nothing for no rows. An unknown value is empty."""
    rows = iter(rows)
    if (first := next(rows, None)) is None:
        return
    line = _Line()
    writer = csv.DictWriter(line, first.keys(), lineterminator="\r\n")
    writer.writeheader()
    yield line.text
    for row in chain((first,), rows):
        writer.writerow(
            {
                name: _WORDS.get(value, value) if isinstance(value, bool) else value
                for name, value in row.items()
            }
        )
        yield line.text


_WORDS = {True: "true", False: "false"}


class _Line:
    """The last line that was written."""

    def write(self, text: str) -> int:
        self.text = text
        return len(text)


def _json(row: dict[str, object]) -> str:
    rest = row.get("usage_rest")
    if isinstance(rest, str):
        row = row | {"usage_rest": json.loads(rest)}
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


def _time_ms(text: str, option: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError("", option, f"is no ISO date or time: {text!r}") from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)
