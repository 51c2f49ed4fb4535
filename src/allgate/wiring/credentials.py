"""Where secrets come from: "env:NAME", "file:PATH", or the text itself."""

from collections.abc import Mapping
from pathlib import Path

from allgate.admin.rows import ConfigError
from allgate.core.secret import Secret

ENV, FILE = "env:", "file:"

SECRET_FILE_BYTES_MAX = 64 * 1024
"""A key is tens of bytes, a service account's JSON a few thousand."""


def resolved(reference: Secret, key: str, environment: Mapping[str, str]) -> Secret:
    """The secret behind a reference; `key` names the place in errors.

    Raises: ConfigError: the variable is not set, the file cannot be read, or it is empty.
    """
    text = reference.reveal()
    if text.startswith(ENV):
        name = text.removeprefix(ENV)
        found = environment.get(name, "").strip()
        reason = f"environment variable {name} is not set"
    elif text.startswith(FILE):
        path = Path(text.removeprefix(FILE))
        found = _first_bytes(path, key).strip()
        reason = f"file {path} is empty"
    else:
        return reference
    if not found:
        raise ConfigError("", key, reason)
    return Secret(found)


def anchored(reference: Secret, folder: Path) -> Secret:
    """The reference with an absolute path, where it is one to a file: a relative one counts from `folder`."""
    text = reference.reveal()
    if not text.startswith(FILE):
        return reference
    return Secret(FILE + str((folder / text.removeprefix(FILE)).absolute()))


def _first_bytes(path: Path, key: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(SECRET_FILE_BYTES_MAX).decode("utf-8")
    except OSError as error:
        raise ConfigError("", key, f"file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError("", key, f"file {path} is not text") from error
