import pytest

from allgate.core.value import changed
from allgate.dialects.anthropic.seal_slots import Slot, carrier, filler, open_slot, readable, slot_text
from allgate.dialects.seals import SealBox
from dialects.anthropic.exchange import BOX, BUDGET, native, other_seal


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_slot_holds_nothing(value):
    assert open_slot(value, "signature", BOX) == Slot()


def test_a_bare_value_is_the_vendor_s_as_the_client_declares():
    assert open_slot("c2ln", "redacted", BOX).seal == native(form="redacted", scope="client-declared")


def test_native_seals_travel_bare_and_others_in_an_envelope():
    assert slot_text(native(), BOX) == "c2ln"
    assert open_slot(slot_text(other_seal(), BOX), "signature", BOX) == Slot(seal=other_seal())


def test_a_carrier_says_whose_seal_it_is():
    data = carrier(other_seal(), BOX, before=True)["data"]
    assert open_slot(data, "redacted", BOX) == Slot(seal=other_seal(), next_part=True)


def test_a_filler_is_no_seal_and_may_hold_hidden_text():
    assert open_slot(filler(BOX), "signature", BOX) == Slot()
    assert open_slot(filler(BOX, "hidden"), "signature", BOX) == Slot(text="hidden")


def test_an_envelope_of_another_account_is_forged():
    stranger = SealBox((b"k" * 32,), "account-2")
    assert open_slot(stranger.wrap(other_seal()), "signature", BOX) == Slot(forged=True)


@pytest.mark.parametrize(
    ("seal", "caps", "can"),
    [
        (native(), BUDGET, True),
        (native(scope="a"), changed(BUDGET, seal_scope="a"), True),
        (native(scope="a"), changed(BUDGET, seal_scope="b"), False),
        (native(scope="client-declared"), changed(BUDGET, seal_scope="b"), True),
        (other_seal(), BUDGET, False),
        (native(), changed(BUDGET, seal_origin=""), False),
        (changed(other_seal(), origin=""), changed(BUDGET, seal_origin=""), False),
    ],
)
def test_a_seal_is_read_by_its_origin_and_scope_only(seal, caps, can):
    assert readable(seal, caps) is can
