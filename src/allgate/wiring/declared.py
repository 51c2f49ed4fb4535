"""What a file declares, as the records that are kept.

Paths in a file count from its folder. The records outlive the file's place, so they hold absolute ones. Keys are hashed
here, where the file and its environment are: what travels to a server or into the database is the hash.
"""

from collections.abc import Mapping
from pathlib import Path

from allgate.admin.records import Document, document_of
from allgate.admin.rows import Declaration, UpstreamRow
from allgate.core.value import changed
from allgate.wiring.credentials import anchored, resolved


def declared_document(declared: Declaration, folder: Path, environment: Mapping[str, str]) -> Document:
    """Raises: ConfigError."""
    absolute = changed(declared, upstreams=tuple(_absolute(row, folder) for row in declared.upstreams))
    return document_of(
        absolute, lambda reference, key: resolved(anchored(reference, folder), key, environment)
    )


def _absolute(row: UpstreamRow, folder: Path) -> UpstreamRow:
    return changed(
        row,
        credentials=tuple(anchored(reference, folder) for reference in row.credentials),
        ca_file=None if row.ca_file is None else str((folder / row.ca_file).absolute()),
    )
