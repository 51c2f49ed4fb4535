"""From key records to callers."""

from ipaddress import ip_network

import pytest

from allgate.admin.records import PreviousSecret, document_of
from allgate.admin.rows import ConfigError, Declaration, KeyRow
from allgate.core.secret import Secret
from allgate.core.value import changed
from allgate.identity.caller import key_hash
from wiring.served import (
    ACCOUNT,
    DECLARED,
    DEMO,
    KEY,
    as_is,
    key,
    served,
    without,
)


def test_a_key_finds_its_caller():
    row = KeyRow(
        name="k", secret=Secret(KEY), models=("Claude",), networks=("10.0.0.0/8", "::1"), expires="2026-01-01"
    )
    found = served(changed(DECLARED, accounts=(changed(ACCOUNT, keys=(row,)),))).callers[key_hash(KEY)]
    assert (found.account_id, found.key_id, found.key_name) == ("demo", "demo/k", "k")
    assert found.models == {"Claude"}
    assert found.networks == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert found.expires_s == 1767225600  # midnight UTC: `date -d 2026-01-01T00:00Z +%s`


def test_a_time_of_expiry_says_its_own_zone():
    row = KeyRow(name="k", secret=Secret(KEY), expires="2026-01-01T01:00:00+01:00")
    found = served(changed(DECLARED, accounts=(changed(ACCOUNT, keys=(row,)),))).callers[key_hash(KEY)]
    assert found.expires_s == 1767225600


@pytest.mark.parametrize(("loopback", "in_it"), [(True, True), (False, False)])
def test_a_demo_key_opens_a_loopback_listener_only(loopback: bool, in_it: bool):
    keys = (KeyRow(name="k", secret=Secret(KEY)), KeyRow(name="demo", secret=Secret(DEMO)))
    declared = changed(DECLARED, accounts=(changed(ACCOUNT, keys=keys),))
    callers = served(declared, loopback=loopback).callers
    assert (key_hash(DEMO) in callers) is in_it
    assert key_hash(KEY) in callers


def test_the_keys_of_a_disabled_account_open_nothing():
    assert served(without("demo")).callers == {}


def test_a_disabled_key_opens_nothing():
    document = document_of(DECLARED, as_is)
    kept = changed(document.keys["demo/k"], disabled=True)
    assert served(changed(document, keys={"demo/k": kept})).callers == {}


WRONG = [
    (key(networks=("10.0.0.1/8",)), r"keys\.demo/k: networks: 10\.0\.0\.1/8 has host bits set"),
    (key(expires="soon"), r"keys\.demo/k: expires: is no ISO date or time: 'soon'"),
]


@pytest.mark.parametrize(("declared", "complaint"), WRONG)
def test_a_wrong_key_is_told_its_place_and_reason(declared: Declaration, complaint: str):
    with pytest.raises(ConfigError, match=complaint):
        served(declared)


def test_a_rotated_key_opens_by_both_secrets_until_the_older_ends():
    document = document_of(DECLARED, as_is)
    kept = document.keys["demo/k"]
    previous = PreviousSecret(hash="0" * 64, hint="sk-old", until="2026-01-01T00:00:00+00:00")
    record = changed(kept.record, previous=previous)
    found = served(changed(document, keys={"demo/k": changed(kept, record=record)})).callers
    assert found[key_hash(KEY)].expires_s is None
    assert found["0" * 64] == changed(found[key_hash(KEY)], expires_s=1767225600)
    early = changed(record, expires="2025-01-01")
    found = served(changed(document, keys={"demo/k": changed(kept, record=early)})).callers
    assert found["0" * 64].expires_s == found[key_hash(KEY)].expires_s


def test_a_key_has_the_doors_it_names():
    assert served(key(dialects=("anthropic",))).callers[key_hash(KEY)].dialects == {"anthropic"}
    with pytest.raises(
        ConfigError, match=r"keys\.demo/k: dialects: there is no dialect 'claude'; there are: anthropic, "
    ):
        served(key(dialects=("claude",)))
