from ipaddress import ip_network

import pytest

from allgate.core.errors import ErrorKind, Refused
from allgate.core.value import changed
from allgate.identity.caller import (
    Caller,
    key_hash,
    let_in,
    permit,
    presented_key,
    unknown_model,
    user_agent,
)

CALLER = Caller(account_id="a", key_id="a/k", key_name="k")


def test_a_hash_is_sha256_in_hex():
    # printf abc | sha256sum; the example of FIPS 180-2
    assert key_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert len(key_hash("\udc80 is no text but may be sent")) == 64


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        (((b"authorization", b"Bearer k"),), None),
        (((b"authorization", b"bearer   k "),), None),
        (((b"x-api-key", b"k"),), None),
        (((b"x-goog-api-key", b"k"),), None),
        (((b"api-key", b" k "),), None),
        ((), "k"),
        (((b"authorization", b"Basic abc"), (b"x-api-key", b"k")), None),
        (((b"x-api-key", b""), (b"x-goog-api-key", b"k")), None),
        (((b"x-api-key", b"k"),), "other"),
    ],
)
def test_a_key_is_found_in_every_form(headers, query):
    assert presented_key(headers, query) == "k"


@pytest.mark.parametrize("headers", [(), ((b"authorization", b"Bearer "),), ((b"cookie", b"k"),)])
def test_no_key_is_an_error_that_says_how_to_send_one(headers):
    with pytest.raises(Refused, match="Authorization: Bearer") as caught:
        presented_key(headers, None)
    assert (caught.value.failure.kind, caught.value.failure.code) == (ErrorKind.AUTH, "invalid_api_key")


def test_a_plain_key_may_do_everything():
    let_in(CALLER, "203.0.113.9", 0)
    permit(CALLER, "any-model", "openai_chat")


@pytest.mark.parametrize(("now_s", "fine"), [(99.9, True), (100.0, False), (100.1, False)])
def test_a_key_expires_at_its_second(now_s: float, fine: bool):
    caller = changed(CALLER, expires_s=100.0)
    if fine:
        let_in(caller, "::1", now_s)
    else:
        with pytest.raises(Refused, match="expired") as caught:
            let_in(caller, "::1", now_s)
        assert caught.value.failure.kind is ErrorKind.AUTH


@pytest.mark.parametrize(
    ("address", "fine"),
    [("10.1.2.3", True), ("::1", True), ("11.0.0.1", False), ("2001:db8::1", False), ("nowhere", False)],
)
def test_a_key_works_from_its_networks(address: str, fine: bool):
    caller = changed(CALLER, networks=(ip_network("10.0.0.0/8"), ip_network("::1")))
    if fine:
        let_in(caller, address, 0)
    else:
        with pytest.raises(Refused, match=address) as caught:
            let_in(caller, address, 0)
        assert caught.value.failure.kind is ErrorKind.PERMISSION


def test_a_model_that_a_key_may_not_use_does_not_exist_for_it():
    caller = changed(CALLER, models=frozenset({"M"}))
    permit(caller, "M", "openai_chat")
    with pytest.raises(Refused) as caught:
        permit(caller, "m", "openai_chat")  # names are case-sensitive
    assert str(caught.value) == str(unknown_model("m"))
    assert caught.value.failure.code == "model_not_found"


def test_a_key_opens_its_doors_only():
    caller = changed(CALLER, dialects=frozenset({"openai_chat", "gemini"}))
    permit(caller, "m", "gemini")
    with pytest.raises(
        Refused, match="may not be used with anthropic; it may with gemini, openai_chat"
    ) as caught:
        permit(caller, "m", "anthropic")
    assert (caught.value.failure.kind, caught.value.failure.code) == (
        ErrorKind.PERMISSION,
        "dialect_not_allowed",
    )


def test_no_models_are_not_every_model():
    with pytest.raises(Refused):
        permit(changed(CALLER, models=frozenset()), "M", "openai_chat")


def test_of_two_user_agents_the_first_is_kept():
    assert user_agent(((b"user-agent", b"a/1"), (b"user-agent", b"b/2"))) == "a/1"
    assert user_agent(()) == ""
