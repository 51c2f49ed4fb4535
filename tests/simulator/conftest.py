"""A simulator per test, and a plain connection to it."""

from collections.abc import Iterator

import pytest

from allgate.simulator import in_thread
from allgate.simulator.in_thread import ThreadedSimulator
from simulator.raw_client import RawClient


@pytest.fixture
def sim() -> Iterator[ThreadedSimulator]:
    with in_thread.running() as simulator:
        yield simulator


@pytest.fixture
def raw(sim: ThreadedSimulator) -> Iterator[RawClient]:
    client = RawClient(sim.port)
    with client.socket:
        yield client
