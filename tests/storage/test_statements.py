"""The SQL text of the package is what the statements and the tables say today."""

import re
from importlib.resources import files

from allgate.admin.rows import PriceRow
from allgate.storage import sql_text
from allgate.storage.request_log import COLUMNS
from allgate.storage.statements import STATEMENTS, STORES, schema_page, sql_page
from allgate.storage.tables import PRICE_COLUMNS, requests

AGAIN = "run `python -m allgate.storage.statements`"


def page(name: str) -> str:
    return (files("allgate.storage") / name).read_text("utf-8")


def test_the_statements_are_written_out():
    assert page("statements.sql") == sql_page(), AGAIN


def test_the_tables_are_written_out():
    for store, dialect in STORES.items():
        assert page(f"{store}/schema.sql") == schema_page(dialect), AGAIN


def test_every_statement_is_found_by_its_name_without_its_sentence():
    found = sql_text.statements()
    assert list(found) == [one.name for one in STATEMENTS]
    assert not any("--" in text for text in found.values())


def test_every_parameter_has_a_name_that_somebody_gave_it():
    names = {name for text in sql_text.statements().values() for name in re.findall(r":(\w+)", text)}
    assert not [name for name in names if re.search(r"_\d+$|^param", name)]


def test_the_log_writes_every_column_in_order():
    assert [column.name for column in requests.columns] == list(COLUMNS)


def test_the_prices_are_those_of_a_row():
    assert {*PRICE_COLUMNS, "source"} == {*PriceRow.__struct_fields__}
