"""The configuration in memory, swapped whole."""

import pytest

from allgate.admin.rows import PriceRow
from allgate.core.errors import Refused
from allgate.core.value import changed
from allgate.identity.caller import key_hash
from allgate.wiring.directory import BELIEVED_S, LiveDirectory, SharedDirectory
from wiring.served import DECLARED, KEY, model, served


def test_a_swap_shows_the_new_whole_and_keeps_old_prices():
    directory = LiveDirectory(first := served(DECLARED))
    old_price = first.catalogue.models["Claude"].price_id
    assert old_price is not None
    kept = directory.catalogue
    directory.swap(served(changed(model(price=PriceRow(input="4", output="15")), accounts=())))
    assert directory.catalogue is not kept
    assert directory.caller(key_hash(KEY)) is None
    new_price = directory.catalogue.models["Claude"].price_id
    assert new_price not in (None, old_price)
    assert directory.price(old_price) is not None  # a request under way is charged by it
    assert directory.price("nobody@0") is None


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_node_that_sees_its_database_knows_every_key():
    directory = SharedDirectory(served(DECLARED), Clock())
    assert not directory.find()
    assert directory.caller(key_hash(KEY)) is not None
    assert directory.caller("0" * 64) is None


def test_without_the_database_an_unknown_key_is_no_wrong_one():
    directory = SharedDirectory(served(DECLARED), Clock())
    assert directory.lose()
    assert not directory.lose()  # said once
    assert directory.caller(key_hash(KEY)) is not None
    with pytest.raises(Refused) as caught:
        directory.caller("0" * 64)
    assert (caught.value.failure.status, caught.value.failure.retry_after_s) == (503, 1.0)


def test_known_keys_are_believed_for_a_minute_after_the_database_was_last_seen():
    directory = SharedDirectory(served(DECLARED), clock := Clock())
    clock.now_s += 10
    directory.find()
    directory.lose()
    clock.now_s += BELIEVED_S
    assert directory.caller(key_hash(KEY)) is not None
    clock.now_s += 0.1
    with pytest.raises(Refused, match="cannot check this API key"):
        directory.caller(key_hash(KEY))
    assert directory.find()
    assert directory.caller(key_hash(KEY)) is not None
    assert directory.caller("0" * 64) is None
