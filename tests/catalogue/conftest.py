"""One gateway with every model of seed document 000, for all tests of this folder."""

from collections.abc import Generator

import pytest

from catalogue.houses import by_families
from standing import House


@pytest.fixture(scope="session")
def families_house() -> Generator[House]:
    with by_families() as found:
        yield found
