"""The line of a configuration file that an error is about.

Rows are checked as rows, wherever they came from: the error says `models.Claude-Opus-4.7: rules[0]`. Where they came from
a file, this finds the row in it, and the error begins with file and line. What cannot be found is told without a line;
the file is read again for it, because an error is no hurry.
"""

import re
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from allgate.admin.rows import ConfigError
from allgate.catalogue.toml_lines import line_of
from allgate.wire.json import Json, JsonObject

_TABLES = ("models", "upstreams", "prices", "groups", "accounts")


@contextmanager
def located(path: Path | None) -> Generator[None]:
    """A ConfigError of this block says where in the file `path` its cause stands."""
    try:
        yield
    except ConfigError as error:
        found = None if path is None else _found(error, path)
        if found is None:
            raise
        raise found from error


def _found(error: ConfigError, path: Path) -> ConfigError | None:
    try:
        text = path.read_text("utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    where = "" if error.where == str(path) else error.where
    if error.where.startswith(f"{path}:"):
        return None  # it is located
    line = line_of(text, _path(document, where, error.key))
    if line is None:
        return None
    place = ": ".join(part for part in (f"{path}:{line}", where) if part)
    return ConfigError(place, error.key, error.reason)


def _path(document: JsonObject, where: str, key: str) -> str:
    """The path in the document of a member that the error names by its row: `models[3].rules[0].clear`."""
    table, _, rest = where.partition(".")
    if table == "keys" or (table not in _TABLES and where):
        return _key_path(document, rest or key)
    if where in _TABLES:  # a whole table, and the name of a row: it is there twice
        return _last_named(document, where, key)
    row, beyond = _row(document, table, rest)
    if row is None and table == "prices":  # a model's own price has the model's name
        row, beyond = _row(document, "models", rest)
        beyond = f"price.{beyond}"
    return ".".join(part for part in (row, beyond.strip("."), key) if part)


def _row(document: JsonObject, table: str, rest: str) -> tuple[str | None, str]:
    """(the row's own path, what follows its name). Names hold dots, so the longest that fits is meant."""
    best: tuple[str | None, str] = (None, "")
    longest = 0
    for place, name in _names(document, table):
        beyond = rest.removeprefix(name)
        if rest.startswith(name) and beyond[:1] in ("", ".", "[") and len(name) > longest:
            best, longest = (f"{table}[{place}]", beyond), len(name)
    return best


def _last_named(document: JsonObject, table: str, wanted: str) -> str:
    for rows in (table, "models"):  # a model's own price has the model's name
        if places := [place for place, name in _names(document, rows) if name == wanted]:
            return f"{rows}[{places[-1]}].name"
    return wanted


def _key_path(document: JsonObject, name: str) -> str:
    """`demo/laptop` is the key `laptop` of the account `demo`."""
    account, _, key = name.partition("/")
    row, _ = _row(document, "accounts", account)
    place = re.match(r"accounts\[(\d+)\]", row or "")
    keys: Json = document["accounts"][int(place[1])].get("keys", []) if place else []
    at = next((n for n, one in enumerate(keys) if one.get("name") == key), 0)
    return f"{row}.keys[{at}]" if row else name


def _names(document: JsonObject, table: str) -> list[tuple[int, str]]:
    rows = cast(list[JsonObject], document.get(table, []))
    return [(place, str(row.get("name", ""))) for place, row in enumerate(rows)]
