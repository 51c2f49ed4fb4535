"""From a TOML file and the environment to `Settings`.

The environment wins over the file: `ALLGATE_SERVER_LISTEN` overrides `listen` of `[server]`. A variable whose section
exists and whose key does not is an error, as in the file; other variables that begin with ALLGATE_ are none of ours. A list is written with
commas.
Every error names the file or variable, the key and the reason, and never a value: it might be a secret.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from allgate.admin.rows import ConfigError, Declaration
from allgate.core.secret import Secret
from allgate.core.value import changed
from allgate.wire.json import Json, JsonObject
from allgate.wiring.listen import Listen
from allgate.wiring.located import located
from allgate.wiring.settings import SECTIONS, Section, Settings

ENV_PREFIX = "ALLGATE_"
FILE_BYTES_MAX = 16 * 1024 * 1024
"""A catalogue of 10,000 models is 3 MB of TOML; what is larger is not a configuration."""

Wanted = TypeVar("Wanted")


def load(path: Path | None, environment: Mapping[str, str], *, port: int | None = None) -> Settings:
    """The settings of `path` (None: defaults, nothing declared), overridden by the environment, then by `port`.

    Raises: ConfigError: cannot be read, is not TOML, an unknown key, a wrong type, a value out of bounds.
    """
    with located(path):
        return _loaded(path, environment, port)


def _loaded(path: Path | None, environment: Mapping[str, str], port: int | None) -> Settings:
    tables = {} if path is None else _tables(path)
    where = str(path) if path else "environment"
    rows = {key: tables.pop(key) for key in Declaration.__struct_fields__ if key in tables}
    settings = _converted(tables, Settings, where)
    declared = _converted(rows, Declaration, where) if path else None
    folder = path.parent if path else Path()
    settings = _with_port(_overridden(settings, environment), port)
    return msgspec.structs.replace(settings, declared=declared, folder=folder)


def declaration_in(path: Path) -> Declaration:
    """Only the rows of a file, for `apply`. Raises: ConfigError."""
    declared = load(path, {}).declared
    assert declared is not None  # a path was given
    return declared


def _tables(path: Path) -> JsonObject:
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES_MAX + 1)
        if len(text) > FILE_BYTES_MAX:
            raise ConfigError(str(path), "", f"is larger than {FILE_BYTES_MAX} bytes")
        tables = tomllib.loads(text.decode("utf-8"))
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "", f"is not TOML: {error}") from error
    if unknown := sorted(tables.keys() - {*SECTIONS, *Declaration.__struct_fields__}):
        raise ConfigError(str(path), unknown[0], "there is no such table")
    return tables


def _overridden(settings: Settings, environment: Mapping[str, str]) -> Settings:
    for variable in sorted(environment):
        if found := _addressed(variable):
            section, key = found
            old: Section = getattr(settings, section)
            if key not in old.__struct_fields__:
                raise ConfigError("environment", variable, f"[{section}] has no `{key}`")
            text = environment[variable]
            value = text.split(",") if isinstance(getattr(old, key), tuple) else text
            members: JsonObject = msgspec.to_builtins(old) | {key: value}
            new = _converted(members, type(old), f"environment: {variable}", strict=False)
            settings = msgspec.structs.replace(settings, **{section: new})
    return settings


def _addressed(variable: str) -> tuple[str, str] | None:
    """("request_log", "flush_s") for ALLGATE_REQUEST_LOG_FLUSH_S; None if it addresses no section."""
    if not variable.startswith(ENV_PREFIX):
        return None
    name = variable.removeprefix(ENV_PREFIX).lower()
    for section in sorted(SECTIONS, key=len, reverse=True):
        if name.startswith(section + "_"):
            return section, name.removeprefix(section + "_")
    return None


def _with_port(settings: Settings, port: int | None) -> Settings:
    if port is None:
        return settings
    listen = changed(Listen.parse(settings.server.listen), port=port)
    return msgspec.structs.replace(
        settings, server=msgspec.structs.replace(settings.server, listen=str(listen))
    )


def _converted(tables: JsonObject, kind: type[Wanted], where: str, *, strict: bool = True) -> Wanted:
    try:
        return msgspec.convert(tables, kind, strict=strict, dec_hook=_secret)
    except msgspec.ValidationError as error:
        reason, _, at = str(error).partition(" - at `$")
        raise ConfigError(where, at.rstrip("`").lstrip("."), reason) from error


def _secret(kind: type, value: Json) -> object:
    if kind is not Secret:
        raise TypeError(f"no setting is a {kind.__name__}")
    if not isinstance(value, str) or not value:
        raise ValueError("Expected a non-empty `str`")
    return Secret(value)
