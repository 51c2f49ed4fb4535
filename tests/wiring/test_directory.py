"""The configuration in memory, swapped whole."""

from allgate.admin.rows import PriceRow
from allgate.core.value import changed
from allgate.identity.caller import key_hash
from allgate.wiring.directory import LiveDirectory
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
