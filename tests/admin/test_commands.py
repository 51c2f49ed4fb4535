import msgspec
import pytest

from allgate.admin.commands import Apply, Command, CreateKey, DisableKey, RotateKey, is_dry, plan_for
from allgate.admin.keys import new_secret
from allgate.admin.records import (
    AccountRecord,
    Document,
    Kept,
    KeyRecord,
    PreviousSecret,
    decode_secret,
    encode_secret,
    key_record,
)
from allgate.admin.rows import ConfigError, KeyRow, UpstreamRow
from allgate.core.secret import Secret
from allgate.core.value import changed

CURRENT = Document(accounts={"demo": Kept(record=AccountRecord(name="demo"))})


def record(name: str = "k", account: str = "demo", secret: Secret | None = None) -> KeyRecord:
    secret = secret or new_secret()
    return key_record(account, KeyRow(name=name, secret=secret), secret)


def test_a_created_key_is_managed_by_the_console():
    plan = plan_for(CreateKey(record=record()), CURRENT)
    assert [(change.kind, change.name) for change in plan.changes] == [("created", "demo/k")]
    assert plan.document.keys["demo/k"].managed_by == "console"


def test_a_key_of_an_unknown_account_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="there is no account 'nobody'; there are: demo"):
        plan_for(CreateKey(record=record(account="nobody")), CURRENT)


def test_a_name_is_used_once_also_by_a_disabled_key():
    current = plan_for(CreateKey(record=record()), CURRENT).document
    current = plan_for(DisableKey(account="demo", name="k"), current).document
    with pytest.raises(ConfigError, match="there is a key demo/k already"):
        plan_for(CreateKey(record=record()), current)


def test_a_secret_is_used_once():
    secret = new_secret()
    current = plan_for(CreateKey(record=record("a", secret=secret)), CURRENT).document
    with pytest.raises(ConfigError, match="same secret as demo/a"):
        plan_for(CreateKey(record=record("b", secret=secret)), current)


def test_disabling_keeps_the_key_and_who_manages_it():
    current = plan_for(CreateKey(record=record()), CURRENT).document
    plan = plan_for(DisableKey(account="demo", name="k"), current)
    assert [change.kind for change in plan.changes] == ["disabled"]
    assert plan.document.keys["demo/k"].disabled
    assert plan.document.keys["demo/k"].managed_by == "console"


def test_disabling_what_is_not_there_is_an_error():
    with pytest.raises(ConfigError, match="there is no key demo/k"):
        plan_for(DisableKey(account="demo", name="k"), CURRENT)


def test_only_a_dry_apply_is_dry():
    assert is_dry(Apply(declared=CURRENT, dry_run=True))
    assert not is_dry(Apply(declared=CURRENT))
    assert not is_dry(DisableKey(account="a", name="b"))


@pytest.mark.parametrize(
    "command",
    [
        Apply(declared=CURRENT, adopt=True),
        Apply(
            declared=Document(
                upstreams={"u": Kept(record=UpstreamRow(name="u", provider="p", credentials=(Secret("x"),)))}
            )
        ),
        CreateKey(record=record()),
        DisableKey(account="a", name="b"),
    ],
)
def test_a_command_survives_its_way_to_the_server(command: Command):
    text = msgspec.json.encode(command, enc_hook=encode_secret)
    assert msgspec.json.decode(text, type=Command, dec_hook=decode_secret) == command


def rotation(overlap_until: str | None = "2026-11-22T00:00:00+00:00", letter: str = "b") -> RotateKey:
    return RotateKey(
        account="demo", name="k", hash=letter * 64, hint=f"sk-{letter}", overlap_until=overlap_until
    )


def test_a_rotated_key_keeps_all_but_its_secret_which_opens_for_a_while():
    first = changed(record(), models=("M",), networks=("::1",))
    current = plan_for(CreateKey(record=first), CURRENT).document
    plan = plan_for(rotation(), current)
    assert [(change.kind, change.name) for change in plan.changes] == [("changed", "demo/k")]
    rotated = plan.document.keys["demo/k"].record
    assert (rotated.hash, rotated.hint, rotated.models, rotated.networks) == (
        "b" * 64,
        "sk-b",
        ("M",),
        ("::1",),
    )
    assert rotated.previous == PreviousSecret(
        hash=first.hash, hint=first.hint, until="2026-11-22T00:00:00+00:00"
    )


def test_without_an_overlap_the_old_secret_is_gone():
    current = plan_for(CreateKey(record=record()), CURRENT).document
    assert plan_for(rotation(None), current).document.keys["demo/k"].record.previous is None


def test_of_two_rotations_the_first_secret_ends_and_that_is_said():
    first = record()
    current = plan_for(CreateKey(record=first), CURRENT).document
    current = plan_for(rotation(), current).document
    plan = plan_for(rotation(letter="c"), current)
    assert plan.remarks == (f"the secret before the last ({first.hint}…) opens nothing any more",)
    previous = plan.document.keys["demo/k"].record.previous
    assert previous is not None
    assert previous.hash == "b" * 64


def test_the_old_secret_of_a_key_is_not_free_for_another():
    secret = new_secret()
    current = plan_for(CreateKey(record=record("k", secret=secret)), CURRENT).document
    current = plan_for(rotation(), current).document
    with pytest.raises(ConfigError, match="same secret as demo/k"):
        plan_for(CreateKey(record=record("other", secret=secret)), current)


def test_a_key_of_a_file_is_not_rotated():
    kept = Kept(record=record(), managed_by="file")
    with pytest.raises(ConfigError, match="has its secret from a file"):
        plan_for(rotation(), changed(CURRENT, keys={"demo/k": kept}))


def test_a_disabled_key_is_not_rotated():
    current = plan_for(CreateKey(record=record()), CURRENT).document
    current = plan_for(DisableKey(account="demo", name="k"), current).document
    with pytest.raises(ConfigError, match="demo/k is disabled"):
        plan_for(rotation(), current)
