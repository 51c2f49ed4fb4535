"""What the tests of what is written behind an answer share: a file, and a writer on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from allgate.storage.sqlite.schema import open_writing
from allgate.storage.sqlite.writer import Writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(open_writing(path))
    yield writer
    writer.close()
