"""From decimal strings to exact prices."""

from decimal import Decimal

import pytest

from allgate.admin.records import document_of
from allgate.admin.rows import ConfigError, Declaration, PriceRow, SheetRow
from allgate.core.value import changed
from wiring.served import (
    DECLARED,
    MODEL,
    as_is,
    model,
    served,
)


def test_a_price_is_exact_and_its_id_follows_its_content():
    first = served(DECLARED)
    price_id = first.catalogue.models["Claude"].price_id
    assert price_id is not None
    assert price_id.startswith("Claude@")
    assert first.sheets[price_id].input == Decimal(3)
    assert first.sheets[price_id].source == "the page"
    dearer = changed(MODEL, price=PriceRow(input="3", output="15.1", source="the page"))
    assert served(changed(DECLARED, models=(dearer,))).catalogue.models["Claude"].price_id != price_id


def test_several_models_share_a_sheet():
    models = tuple(changed(MODEL, name=name, price="shared") for name in ("A", "B"))
    declared = changed(DECLARED, models=models, prices=(SheetRow(name="shared", input="1", output="2"),))
    found = served(declared)
    assert {model.price_id for model in found.catalogue.models.values()} == set(found.sheets)


def test_a_model_without_a_price_is_listed_with_none():
    assert (
        served(changed(DECLARED, models=(changed(MODEL, price=None),))).catalogue.models["Claude"].price_id
        is None
    )


def test_the_price_of_a_disabled_sheet_is_none():
    document = document_of(DECLARED, as_is)
    off = {"Claude": changed(document.sheets["Claude"], disabled=True)}
    assert served(changed(document, sheets=off)).catalogue.models["Claude"].price_id is None


WRONG = [
    (model(price=PriceRow(input="3,5", output="1")), r"prices\.Claude: input: is no decimal number: '3,5'"),
    (model(price=PriceRow(input="-1", output="1")), r"prices\.Claude: input: must be between 0 and"),
    (model(price=PriceRow(input="NaN", output="1")), r"prices\.Claude: input: must be between 0 and"),
    (model(price=PriceRow(input="1", output="1000001")), r"prices\.Claude: output: must be between 0 and"),
]


@pytest.mark.parametrize(("declared", "complaint"), WRONG)
def test_a_wrong_price_is_told_its_place_and_reason(declared: Declaration, complaint: str):
    with pytest.raises(ConfigError, match=complaint):
        served(declared)
