"""The deployment's own keys: the first signs and encrypts, all of them open (ruling 5).

One is generated on the first start where none is configured: 32 random bytes as hex digits, in a file of mode 0600
beside the database. Nodes that share a database have no such place, and must all be given the same. Whoever loses it
loses sealed reasoning in flight, not money.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from allgate.admin.rows import ConfigError
from allgate.core.secret import Secret
from allgate.wiring.credentials import FILE, anchored, resolved
from allgate.wiring.settings import Secrets

KEY_BYTES = 32
FILE_NAME = "allgate-master.key"


def master_keys(
    settings: Secrets, database_folder: Path | None, environment: Mapping[str, str], folder: Path
) -> tuple[bytes, ...]:
    """The configured keys, or the generated one; no `database_folder`: there is none.

    Raises: ConfigError: missing, unreadable, or not 64 hex digits.
    """
    references = [settings.master_key, *settings.previous_master_keys]
    if not settings.master_key:
        if database_folder is None:
            raise ConfigError(
                "",
                "secrets.master_key",
                "is needed, the same for all nodes of this database: 64 hex digits, such as `openssl rand -hex 32` prints",
            )
        references[0] = f"{FILE}{_generated(database_folder).absolute()}"
    return tuple(
        _key(resolved(anchored(Secret(reference), folder), place, environment), place)
        for reference, place in zip(references, _places(len(references)), strict=True)
    )


def _places(count: int) -> list[str]:
    return ["secrets.master_key", *(f"secrets.previous_master_keys[{place}]" for place in range(count - 1))]


def _key(text: Secret, place: str) -> bytes:
    try:
        key = bytes.fromhex(text.reveal())
    except ValueError as error:
        raise ConfigError("", place, "is not made of hex digits") from error
    if len(key) != KEY_BYTES:
        raise ConfigError("", place, f"has {len(key)} bytes; {2 * KEY_BYTES} hex digits are needed")
    return key


def _generated(folder: Path) -> Path:
    """The path of the generated key; made if absent. Two processes that start at once agree: one of them creates it."""
    path = folder / FILE_NAME
    draft = folder / f"{FILE_NAME}.{os.getpid()}"
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # the other process was first; its key is the key
        finally:
            draft.unlink()
    return path
