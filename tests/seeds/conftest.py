"""The four gateways at which the examples of the seeds run: one for each dialect that an upstream may speak."""

from collections.abc import Generator

import pytest

from seeds.catalogue import DIALECTS, catalogue
from standing import House, standing


@pytest.fixture(scope="session", params=DIALECTS)
def house(request: pytest.FixtureRequest) -> Generator[tuple[str, House]]:
    """The dialect of the upstreams, and the gateway before them with every model of the seeds."""
    with standing(catalogue(request.param)) as found:
        yield request.param, found
