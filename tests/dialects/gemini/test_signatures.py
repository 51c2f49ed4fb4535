import base64

from allgate.dialects.gemini.signatures import NO_SIGNATURE, for_client, for_provider, seals_in
from allgate.operations.chat.parts import Seal
from dialects.gemini.exchange import BOX, CAPS

NATIVE = Seal(origin="gemini", scope="", form="thought", value="c2ln")
FOREIGN = Seal(origin="anthropic", scope="anthropic/main", form="signature", value="EqQB+sig")


def test_a_native_signature_travels_bare_and_is_trusted_when_it_returns():
    slot = for_client(NATIVE, BOX)
    assert slot == "c2ln"
    (seal,) = seals_in(slot, BOX)
    assert for_provider((seal,), CAPS) == "c2ln"


def test_a_foreign_seal_travels_as_padded_standard_base64():
    slot = for_client(FOREIGN, BOX)
    assert slot.startswith("QUdTTDE6")
    base64.b64decode(slot, validate=True)
    assert seals_in(slot, BOX) == (FOREIGN,)
    assert for_provider((FOREIGN,), CAPS) is None


def test_a_native_value_that_is_no_base64_is_wrapped_so_that_no_reader_breaks():
    odd = Seal(origin="gemini", scope="", form="thought", value="SIGNATURE_REDACTED_1")
    slot = for_client(odd, BOX)
    base64.b64decode(slot, validate=True)
    assert seals_in(slot, BOX) == (odd,)


def test_a_signature_in_url_safe_base64_is_the_same_seal():
    """What Google's Python SDK makes of every signature that it sends back."""
    native = Seal(origin="gemini", scope="", form="thought", value="+/8+")
    for seal in (native, Seal(origin="openai", scope="s", form="encrypted", value="\u00ff\u00fe~~~???>>>")):
        slot = for_client(seal, BOX)
        (again,) = seals_in(slot.replace("+", "-").replace("/", "_").rstrip("="), BOX)
        assert again.value == seal.value


def test_a_value_that_is_no_base64_stays_as_it_is():
    (seal,) = seals_in("not_base64-at all", BOX)
    assert seal.value == "not_base64-at all"


def test_the_dummy_signature_means_no_seal():
    assert base64.b64decode(NO_SIGNATURE) == b"skip_thought_signature_validator"
    for dummy in (None, "", "skip_thought_signature_validator", NO_SIGNATURE):
        assert seals_in(dummy, BOX) == ()


def test_an_altered_envelope_is_dropped():
    slot = for_client(FOREIGN, BOX)
    assert seals_in(slot[:-8] + "AAAAAAA=", BOX) == ()


def test_a_seal_of_another_scope_is_not_replayed():
    assert (
        for_provider((Seal(origin="gemini", scope="gemini/other", form="thought", value="x"),), CAPS) is None
    )
