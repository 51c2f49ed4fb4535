import pytest

from allgate.admin.records import Document, KeyRecord, document_of, from_json, key_record, to_json
from allgate.admin.rows import AccountRow, ConfigError, Declaration, KeyRow, ModelRow, PriceRow, SheetRow
from allgate.core.secret import Secret
from allgate.identity.caller import key_hash

KEY = "sk-allgate-0123456789abcdef0123456789"


def as_is(reference: Secret, _: str) -> Secret:
    return reference


def account(*keys: KeyRow, name: str = "demo", balance_usd: str = "0") -> Declaration:
    return Declaration(accounts=(AccountRow(name=name, balance_usd=balance_usd, keys=keys),))


def key(secret: str = KEY, name: str = "k") -> KeyRow:
    return KeyRow(name=name, secret=Secret(secret))


def test_of_a_key_its_hash_and_its_beginning_are_kept():
    record = document_of(account(key()), as_is).keys["demo/k"].record
    assert (record.hash, record.hint, record.id) == (key_hash(KEY), "sk-allgate-0123", "demo/k")
    assert KEY not in repr(record)


def test_a_key_by_reference_is_resolved_with_its_place():
    asked: list[str] = []

    def resolve(reference: Secret, place: str) -> Secret:
        asked.append(f"{place} = {reference.reveal()}")
        return Secret(KEY)

    document = document_of(account(key("env:K")), resolve)
    assert asked == ["accounts.demo.keys.k.secret = env:K"]
    assert document.keys["demo/k"].record.hash == key_hash(KEY)


def test_a_key_that_could_be_guessed_is_refused_without_being_shown():
    with pytest.raises(ConfigError, match=r"accounts\.demo\.keys\.k: secret: is shorter than 22") as caught:
        document_of(account(key("sk-allgate-short")), as_is)
    assert "sk-allgate-short" not in str(caught.value)


def test_a_demo_key_is_marked():
    assert key_record(
        "a", key("sk-allgate-demo-0000000000"), Secret("sk-allgate-demo-0000000000")
    ).loopback_only
    assert not key_record("a", key(), Secret(KEY)).loopback_only


def test_two_keys_of_one_secret_are_refused():
    with pytest.raises(ConfigError, match="keys: demo/b: has the same secret as demo/a"):
        document_of(account(key(name="a"), key(name="b")), as_is)


def test_a_models_own_price_becomes_a_sheet_of_its_name():
    document = document_of(
        Declaration(models=(ModelRow(name="M", price=PriceRow(input="1", output="2")),)), as_is
    )
    assert document.models["M"].record.sheet == "M"
    assert document.sheets["M"].record == SheetRow(name="M", input="1", output="2")


def test_a_models_own_price_beside_a_sheet_of_its_name_is_refused():
    declared = Declaration(
        models=(ModelRow(name="M", price=PriceRow(input="1", output="2")),),
        prices=(SheetRow(name="M", input="1", output="2"),),
    )
    with pytest.raises(ConfigError, match="prices: M: is there twice"):
        document_of(declared, as_is)


def test_a_model_may_have_no_price():
    assert document_of(Declaration(models=(ModelRow(name="M"),)), as_is).models["M"].record.sheet is None


@pytest.mark.parametrize(
    ("balance", "reason"),
    [
        ("-1", "is negative"),
        ("ten", "not an amount"),
        ("1e-10", "finer than"),
        ("NaN", "not a finite"),
        ("1e30", "int64"),
    ],
)
def test_a_balance_that_is_no_amount_is_refused(balance: str, reason: str):
    with pytest.raises(ConfigError, match=f"accounts.demo: balance_usd: .*{reason}"):
        document_of(account(balance_usd=balance), as_is)


def test_a_document_survives_its_json():
    document = document_of(account(key(), balance_usd="1.5"), as_is)
    assert from_json(to_json(document)) == document
    assert from_json(to_json(Document())) == Document()


def test_a_document_of_an_older_version_lacks_members_and_is_read():
    text = b'{"keys":{"a/k":{"record":{"account":"a","name":"k","hash":"h","hint":"x"}}}}'
    assert from_json(text).keys["a/k"].record == KeyRecord(account="a", name="k", hash="h", hint="x")
