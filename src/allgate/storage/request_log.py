"""The request log: what was asked, by whom, and how it ended; a row for each request.

The row of a request that is charged is written with its charge, in one transaction (`postings` of either store): no crash
parts the two. The rows of the others are written behind. How many rows go at once differs between the stores (`lines` of
either); which columns a row has, and how it is read again, does not.
"""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from allgate.core.usage import Usage
from allgate.gateway.ports import LogRow
from allgate.storage.write_behind import Write, WriteBehind

USAGE_COLUMNS = 7
"""The first fields of Usage have columns of their own; the rest shares one."""

_LOG_FIELDS = LogRow.__struct_fields__
_USAGE_AT = _LOG_FIELDS.index("usage")
_REST_FIELDS = Usage.__struct_fields__[USAGE_COLUMNS:-1]
_NO_REST = (None,) * len(_REST_FIELDS)
_RENAMED = {"account_id": "account", "key_id": "key", "price_id": "price"}

COLUMNS = (
    *(_RENAMED.get(field, field) for field in _LOG_FIELDS if field != "usage"),
    *Usage.__struct_fields__[:USAGE_COLUMNS],
    "usage_rest",
    "estimated",
)

RequestLog: TypeAlias = WriteBehind[LogRow]
WriteLines: TypeAlias = Write[LogRow]


def line_values(row: LogRow) -> Sequence[object]:
    """What COLUMNS hold for a row."""
    fields = msgspec.structs.astuple(row)
    usage = msgspec.structs.astuple(row.usage)
    rest = usage[USAGE_COLUMNS:-1]
    return (
        *fields[:_USAGE_AT],
        *fields[_USAGE_AT + 1 :],
        *usage[:USAGE_COLUMNS],
        None if rest == _NO_REST else _rest_json(rest),
        usage[-1],
    )


def read_row(columns: Sequence[object]) -> LogRow:
    """A row as it was appended."""
    plain = [*columns[: -USAGE_COLUMNS - 2]]
    plain.insert(_USAGE_AT, None)
    fields = dict(zip(_LOG_FIELDS, plain, strict=True))
    usage = read_usage(columns[-USAGE_COLUMNS - 2 :])
    switches = {name: bool(fields[name]) for name in ("passthrough", "stream")}
    return msgspec.convert(fields | switches | {"usage": usage}, LogRow)


def read_usage(columns: Sequence[object]) -> Usage:
    """The usage of a row, from the columns that hold it."""
    *counts, rest, estimated = columns
    fields = dict(zip(Usage.__struct_fields__, counts, strict=False))
    if isinstance(rest, str):
        fields |= msgspec.json.decode(rest, type=dict[str, int | str])
    return msgspec.convert(fields | {"estimated": bool(estimated)}, Usage)


def _rest_json(rest: tuple[object, ...]) -> str:
    reported = {name: count for name, count in zip(_REST_FIELDS, rest, strict=True) if count is not None}
    return msgspec.json.encode(reported).decode()
