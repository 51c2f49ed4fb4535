"""Imported prices: what is believed, what needs a word, what is refused."""

import pytest

from allgate.admin.price_import import plan_import
from allgate.admin.price_rows import SheetRow, VariantRow
from allgate.admin.records import Document, Kept
from allgate.admin.rows import ConfigError
from allgate.core.value import changed

OLD = SheetRow(name="v/m", input="3", output="15", cache_read="0.3", web_search="0.01", source="list 1")


def document(managed_by: str = "console", *sheets: SheetRow) -> Document:
    return Document(sheets={one.name: Kept(record=one, managed_by=managed_by) for one in sheets})


def imported(sheet: SheetRow, *, sure: bool = False, current: Document | None = None):
    return plan_import(current or document("console", OLD), (sheet,), sure=sure)


def test_a_new_sheet_and_a_moderate_change_are_taken_over_for_the_console():
    plan = imported(changed(OLD, name="v/n", input="6"))
    assert plan.document.sheets["v/n"].managed_by == "console"
    assert [change.kind for change in plan.changes] == ["created"]
    plan = imported(changed(OLD, input="1.5", output="30", source="list 2"))
    assert [(field.field, field.before, field.after) for field in plan.changes[0].fields] == [
        ("input", "3", "1.5"),
        ("output", "15", "30"),
        ("source", "list 1", "list 2"),
    ]


def test_the_same_prices_from_a_newer_list_change_nothing():
    assert imported(changed(OLD, source="list 2")).changes == ()


LONG = VariantRow(above_input_tokens=200_000, input="6")
STRANGE = [
    ({"input": "6.1"}, "v/m: input goes from 3 to 6.1"),
    ({"output": "7.4"}, "v/m: output goes from 15 to 7.4"),
    ({"cache_read": None}, "v/m: cache_read goes from 0.3 to 3"),
    ({"reasoning": "60"}, "v/m: reasoning goes from 15 to 60"),
    ({"web_search": None}, "v/m: web_search was 0.01 and has no price any more"),
    ({"variants": (changed(LONG, input="9"),)}, "v/m: input above 200000 tokens goes from 3 to 9"),
    (
        {"variants": (changed(LONG, tier="flex", input="1"),)},
        "input at flex above 200000 tokens goes from 3 to 1",
    ),
    ({"name": "v/new", "input": "0", "output": "0"}, "v/new is new and free"),
]


@pytest.mark.parametrize(("members", "doubt"), STRANGE)
def test_what_is_strange_needs_a_word(members: dict[str, object], doubt: str):
    with pytest.raises(ConfigError, match="nothing was imported; --yes if this is true") as told:
        imported(changed(OLD, **members))
    assert doubt in str(told.value)
    assert imported(changed(OLD, **members), sure=True).changes


@pytest.mark.parametrize(
    "members",
    [
        {"input": "0"},
        {"cache_read": "0.00"},
        {"web_search": "0"},
        {"variants": (changed(LONG, input="0"),)},
        {"reasoning": "0"},
    ],
)
def test_a_fall_to_zero_is_refused_whatever_is_said(members: dict[str, object]):
    with pytest.raises(ConfigError, match=r"falls from .* to 0; if it is true, write that sheet yourself"):
        imported(changed(OLD, **members), sure=True)


def test_a_sheet_of_a_file_is_left_alone():
    plan = imported(changed(OLD, input="4"), current=document("file", OLD))
    assert plan.changes == ()
    assert plan.remarks == ("prices.v/m is managed by a file, and left alone",)


def test_one_that_is_refused_takes_the_others_with_it():
    good, bad = changed(OLD, name="v/n"), changed(OLD, input="0")
    with pytest.raises(ConfigError):
        plan_import(document("console", OLD), (good, bad), sure=True)
