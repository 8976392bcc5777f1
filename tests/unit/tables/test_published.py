"""The contracts of the published tables are complete, and BI tools read the layout they name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from churnrisk.config import parsed_config
from churnrisk.store import Workspace
from churnrisk.store.publish import publish, staged_edition
from churnrisk.tables.published import BANDS, PUBLISHED, RULES, PublishedTable, published_markdown
from scoring.lifetime import LIFETIME_COLUMNS

DAY = date(2026, 6, 30)


@pytest.mark.parametrize("table", PUBLISHED.values(), ids=PUBLISHED)
def test_every_table_has_key_as_of_and_run_id_and_a_meaning_for_each_column(table: PublishedTable) -> None:
    names = [column.name for column in table.columns]
    assert {*table.key, "as_of", "run_id"} <= set(names)
    assert len(set(names)) == len(names)
    assert all(column.meaning for column in table.columns)
    assert not any(column.null_meaning for column in table.columns if column.name in table.key)


@pytest.mark.parametrize("table", PUBLISHED.values(), ids=PUBLISHED)
def test_text_documentation_and_plain_values_name_every_column(table: PublishedTable) -> None:
    for column in table.columns:
        assert column.name in table.text()
        assert f"`{column.name}`" in table.markdown()
    assert [column["name"] for column in table.as_dict()["columns"]] == [
        column.name for column in table.columns
    ]
    assert table.markdown() in published_markdown()


def test_references_point_at_published_columns() -> None:
    for table in PUBLISHED.values():
        for column, (target, name) in table.references.items():
            assert column in {each.name for each in table.columns}
            assert name in {each.name for each in PUBLISHED[target].columns}


def test_the_bands_are_those_of_the_interface() -> None:
    assert BANDS == ("low", "watch", "high", "critical")


def test_the_layout_reads_as_hive_partitions_although_the_date_stands_in_the_file_too(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, parsed_config(""))
    frame = pl.DataFrame(
        {
            "as_of": [DAY],
            "customer_id": ["00123"],
            "risk": [0.2],
            "risk_low": [0.1],
            "risk_high": [None],
            "risk_before_survey": [None],
            "band": ["watch"],
            "value": [None],
            "leaver_kind": [None],
            "leaver_kind_share": [None],
            **{name: [None] for name in LIFETIME_COLUMNS},
            "model_version": ["1"],
            "is_hindsight": [False],
            "run_id": ["r"],
        }
    )
    publish(workspace, staged_edition(workspace, RULES, {"scores": frame}, run_id="r", as_of=DAY), RULES)
    pattern = str(workspace.published / "scores" / "*" / "*.parquet")
    rows = duckdb.execute(
        "select as_of, customer_id, risk from read_parquet($pattern)", {"pattern": pattern}
    ).fetchall()
    assert rows == [(DAY, "00123", 0.2)]
    lazily = pl.scan_parquet(str(workspace.published / "scores"), hive_partitioning=True).collect()
    assert lazily.select("as_of", "customer_id", "risk").row(0) == (DAY, "00123", 0.2)
