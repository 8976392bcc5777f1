"""One declaration gives the check, the documentation and the test data of every source table."""

from __future__ import annotations

from pathlib import Path

import dataframely as dy
import pytest

from churnrisk.tables.columns import range_words
from churnrisk.tables.contracts import SOURCE_TABLES, SourceTable, limit_code
from churnrisk.tables.faults import ROW_FAULTS
from churnrisk.tables.samples import sampled_rows
from tests.spec.sources.drawn import drawn_workspace, loaded_from

TABLES = pytest.mark.parametrize("table", SOURCE_TABLES.values(), ids=lambda table: table.name)


@TABLES
def test_every_column_says_what_it_is_and_what_null_means(table: SourceTable) -> None:
    for name, column in table.columns.items():
        plain = next(item for item in table.as_dict()["columns"] if item["name"] == name)
        assert plain["meaning"]
        assert plain["required"] != bool(plain["null_means"])
        assert f"| `{name}` |" in table.markdown()
        assert name in table.text()
        assert isinstance(column, dy.Column)


@TABLES
def test_every_rule_of_a_schema_has_a_code_with_a_sentence(table: SourceTable) -> None:
    rules = table.schema._validation_rules(with_cast=False)
    codes = {
        limit_code(table, column, rule) if column else rule
        for column, _, rule in (name.rpartition("|") for name in rules)
        if not column.startswith("_") and column not in {"is_missed", "answered_end"}
    }
    assert codes <= set(ROW_FAULTS)
    assert codes <= set(table.codes())
    assert all(f"`{code}`" in table.markdown() for code in codes)


@TABLES
def test_reasons_are_sentences_without_holes(table: SourceTable) -> None:
    for code in table.codes():
        reason = table.reason(code)
        assert reason.endswith(".")
        assert "{" not in reason
        assert ": ." not in reason


def test_limits_are_told_as_declared() -> None:
    assert range_words(SOURCE_TABLES["treatments"].columns["propensity"]) == "0 to 1"
    assert range_words(SOURCE_TABLES["surveys"].columns["metric"]) == "nps, csat, ces"
    assert range_words(SOURCE_TABLES["offers"].columns["contact_cost"]) == "at least 0"
    assert range_words(SOURCE_TABLES["customers"].columns["monthly_value"]) == ""


def test_test_data_are_seeded() -> None:
    assert sampled_rows("calls", 20, seed=1).equals(sampled_rows("calls", 20, seed=1))
    assert not sampled_rows("calls", 20, seed=1).equals(sampled_rows("calls", 20, seed=2))


@pytest.mark.parametrize(
    "name", ["customers", "calls", "surveys", "interactions", "events", "offers", "labelled"]
)
def test_test_data_drawn_from_a_contract_are_all_kept(name: str, tmp_path: Path) -> None:
    rows = sampled_rows(name, 40, seed=7)
    settings = f'[sources.{name}]\npath = "given.csv"\n'
    files: dict[str, str | bytes] = {"given.csv": rows.write_csv()}
    if "customer_id" in rows.columns and name not in {"customers", "labelled"}:
        files["people.csv"] = rows.select("customer_id").unique().write_csv()
    loaded = loaded_from(drawn_workspace(tmp_path, settings, files))
    report = loaded.reports[name]
    repeats = {"duplicate_row", "duplicate_key", "superseded"}  # contracts draw rows one by one
    assert {code for code in report.by_code() if code not in repeats} == set()
    assert report.n_kept + report.n_quarantined == report.n_read == 40
