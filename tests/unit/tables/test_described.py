"""Everything that people bring, read or act on can be asked for by name."""

import pytest

from churnrisk.errors import UsageError
from churnrisk.tables.contracts import RECORDED_TABLES, SOURCE_TABLES
from churnrisk.tables.described import documented_tables
from churnrisk.tables.files import FILES
from churnrisk.tables.published import PUBLISHED


@pytest.mark.parametrize("name", sorted({*SOURCE_TABLES, *RECORDED_TABLES, *PUBLISHED, *FILES}))
def test_a_table_is_found_by_its_name_and_says_its_columns(name: str) -> None:
    found = documented_tables(name)
    (table, *_) = found.tables
    assert name in found.text()
    assert name in str(table.as_dict())
    kinds = (SOURCE_TABLES, RECORDED_TABLES, PUBLISHED, FILES)
    assert [name in each for each in (found.sources, found.recorded, found.published, found.files)] == [
        name in each for each in kinds
    ]


def test_a_file_says_where_it_lies_and_what_null_means() -> None:
    promoters = documented_tables("promoters").text()
    assert "lists/YYYY-MM-DD/promoters.csv" in promoters
    assert "promoters (file)" in promoters
    assert "null: the day of joining is not known" in promoters
    assert "restricted/spread" in documented_tables("spread").text()


def test_an_unknown_name_is_answered_with_all_names() -> None:
    with pytest.raises(UsageError) as refused:
        documented_tables("spreads")
    assert {"calls", "scores", "spread", "promoters"} <= set(refused.value.faults[0].available)
