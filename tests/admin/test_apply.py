"""Ruling 22: what a file may create, change, disable and not touch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.admin.apply import Change, FieldChange, Plan, plan_apply
from allgate.admin.records import AccountRecord, Document, Kept, ManagedBy
from allgate.admin.rows import ConfigError, UpstreamRow
from allgate.core.money import NanoUsd
from allgate.core.secret import Secret


def upstream(provider: str = "openai", credential: str = "env:A") -> UpstreamRow:
    return UpstreamRow(name="u", provider=provider, credentials=(Secret(credential),))


def with_upstream(
    row: UpstreamRow, managed_by: ManagedBy = "file", *, disabled: bool = False, name: str = "u"
) -> Document:
    return Document(upstreams={name: Kept(record=row, managed_by=managed_by, disabled=disabled)})


def kinds(plan: Plan) -> list[tuple[str, str]]:
    return [(change.kind, f"{change.table}.{change.name}") for change in plan.changes]


def test_what_is_not_there_is_created():
    plan = plan_apply(Document(), with_upstream(upstream()))
    assert kinds(plan) == [("created", "upstreams.u")]
    assert plan.document == with_upstream(upstream())


def test_the_same_file_twice_changes_nothing():
    assert plan_apply(with_upstream(upstream()), with_upstream(upstream())).changes == ()


def test_what_differs_is_changed_member_by_member():
    plan = plan_apply(with_upstream(upstream()), with_upstream(upstream("xai")))
    assert plan.changes == (
        Change(
            table="upstreams",
            name="u",
            kind="changed",
            fields=(FieldChange(field="provider", before="openai", after="xai"),),
        ),
    )


def test_a_changed_credential_is_a_change_that_shows_no_secret():
    plan = plan_apply(
        with_upstream(upstream(credential="sk-first")), with_upstream(upstream(credential="sk-second"))
    )
    assert kinds(plan) == [("changed", "upstreams.u")]
    assert "sk-first" not in repr(plan)
    assert "sk-second" not in repr(plan)


def test_a_vanished_file_row_is_disabled_and_kept():
    plan = plan_apply(with_upstream(upstream()), Document())
    assert kinds(plan) == [("disabled", "upstreams.u")]
    assert plan.document == with_upstream(upstream(), disabled=True)


def test_a_row_that_stays_away_is_not_disabled_again():
    assert plan_apply(with_upstream(upstream(), disabled=True), Document()).changes == ()


def test_a_row_that_comes_back_is_enabled():
    plan = plan_apply(with_upstream(upstream(), disabled=True), with_upstream(upstream()))
    assert kinds(plan) == [("enabled", "upstreams.u")]


def test_a_console_row_that_the_file_does_not_name_is_left_alone():
    console = with_upstream(upstream(), "console")
    plan = plan_apply(console, with_upstream(upstream(), name="other"))
    assert kinds(plan) == [("created", "upstreams.other")]
    assert plan.document.upstreams["u"] == console.upstreams["u"]


def test_naming_a_console_row_is_refused_with_the_way_out():
    with pytest.raises(ConfigError, match=r"upstreams\.u: managed by the console; --adopt"):
        plan_apply(with_upstream(upstream(), "console"), with_upstream(upstream()))


def test_adopting_takes_a_console_row_over():
    plan = plan_apply(with_upstream(upstream(), "console"), with_upstream(upstream()), adopt=True)
    assert kinds(plan) == [("adopted", "upstreams.u")]
    assert plan.document == with_upstream(upstream())


def account(amount: int, *, disabled: bool = False) -> Document:
    record = AccountRecord(name="demo", opening_nano_usd=NanoUsd(amount))
    return Document(accounts={"demo": Kept(record=record, disabled=disabled)})


def test_another_opening_balance_later_is_a_remark_and_no_change():
    plan = plan_apply(account(10_000_000_000), account(99_000_000_000))
    assert plan.changes == ()
    assert plan.document == account(10_000_000_000)
    assert plan.remarks == ("accounts.demo: balance_usd acts once; $10 was granted when it was first seen",)


def test_an_account_that_comes_back_is_not_granted_again():
    plan = plan_apply(account(10, disabled=True), account(99))
    assert kinds(plan) == [("enabled", "accounts.demo")]
    assert plan.document == account(10)


rows = st.dictionaries(
    st.sampled_from("uvwx"),
    st.builds(
        Kept[UpstreamRow],
        record=st.builds(UpstreamRow, name=st.just("n"), provider=st.sampled_from(("openai", "xai"))),
        managed_by=st.sampled_from(("file", "console")),
        disabled=st.booleans(),
    ),
)
declared_rows = st.dictionaries(
    st.sampled_from("uvwx"),
    st.builds(
        Kept[UpstreamRow],
        record=st.builds(UpstreamRow, name=st.just("n"), provider=st.sampled_from(("openai", "xai"))),
    ),
)


@given(rows, declared_rows)
def test_applying_is_idempotent_and_reaches_what_was_declared(current: dict, declared: dict):
    plan = plan_apply(Document(upstreams=current), Document(upstreams=declared), adopt=True)
    assert plan_apply(plan.document, Document(upstreams=declared), adopt=True).changes == ()
    for name, row in plan.document.upstreams.items():
        if name in declared:
            assert row == declared[name]
        elif current[name].managed_by == "file":
            assert row.disabled
        else:
            assert row == current[name]
    assert plan.document.upstreams.keys() == current.keys() | declared.keys()
