"""The engine reads Parquet and frames and runs statements with named parameters."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.errors import ConfigError
from churnrisk.store import Engine
from churnrisk.store.engine import literal, quoted
from churnrisk.store.statements import Statement, StatementError, woven_statements

KNOWN = """-- output: known_facts
-- kind: ephemeral
-- grain: k
-- reads: facts
-- parameters: as_of
-- columns:
--   k | key
select k from facts where t < $as_of"""
COUNTS = """-- output: counts
-- grain: k
-- reads: known_facts
-- parameters: least
-- columns:
--   k | key
--   n | facts | never null
with known as (select k from known_facts) select k, count(*) as n from known group by k having count(*) >= $least"""


def statements() -> dict[str, Statement]:
    return woven_statements(
        {"counts": Statement.parse(COUNTS, "counts"), "known_facts": Statement.parse(KNOWN, "known_facts")}
    )


def test_an_ephemeral_statement_is_woven_into_its_reader() -> None:
    counts = statements()["counts"]
    assert counts.tables == ("facts",)
    assert counts.all_parameters == ("as_of", "least")
    with Engine() as engine:
        engine.register("facts", pl.DataFrame({"k": [1, 2, 2, 2], "t": [1, 1, 2, 9]}))
        engine.create(counts, {"as_of": 5, "least": 2, "superfluous": 0})
        assert engine.frame("select * from counts").rows() == [(2, 2)]


def test_readers_come_after_what_they_read() -> None:
    assert list(statements()) == ["known_facts", "counts"]


def test_a_circle_of_reads_is_refused() -> None:
    circular = KNOWN.replace("reads: facts", "reads: counts")
    with pytest.raises(
        StatementError, match=r"counts > known_facts > counts|known_facts > counts > known_facts"
    ):
        woven_statements(
            {
                "counts": Statement.parse(COUNTS, "counts"),
                "known_facts": Statement.parse(circular, "known_facts"),
            }
        )


@pytest.mark.parametrize(
    "line", ["-- output: counts", "-- grain: k", "-- reads: known_facts", "-- parameters: least"]
)
def test_a_head_without_one_of_its_lines_is_refused(line: str) -> None:
    with pytest.raises(StatementError, match=r"counts\.sql"):
        Statement.parse(COUNTS.replace(line + "\n", ""), "counts")


def test_units_and_null_meanings_are_read_from_the_head() -> None:
    column = Statement.parse(COUNTS, "counts").columns[1]
    assert (column.name, column.unit, column.null_meaning) == ("n", "facts", "never null")


def test_a_name_can_be_registered_again_as_something_else(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    with Engine() as engine:
        engine.register("x", pl.DataFrame({"b": [1]}))
        engine.register("x", tmp_path / "a.parquet")
        assert engine.columns("x") == {"a": "BIGINT"}
        engine.execute("create or replace temp table y as select 1 as c")
        engine.register("y", pl.DataFrame({"d": [1.5]}))
        assert engine.columns("y") == {"d": "DOUBLE"}


def test_rows_are_written_in_the_order_of_the_query(tmp_path: Path) -> None:
    with Engine() as engine:
        engine.register("x", pl.DataFrame({"a": [2, 3, 1]}))
        assert engine.write("select a from x order by a desc", tmp_path / "deep" / "x.parquet") == 3
    assert pl.read_parquet(tmp_path / "deep" / "x.parquet")["a"].to_list() == [3, 2, 1]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_any_name_and_any_text_can_be_quoted(text: str) -> None:
    with Engine(threads=1) as engine:
        rows = engine.frame(f"select {literal(text)} as {quoted(text)}")
    assert rows.columns == [text]
    assert rows.rows() == [(text,)]


def test_want_of_memory_names_the_setting_that_helps() -> None:
    large = (
        "create temp table t as select range as a, md5(range::varchar) as b from range(3000000) order by b"
    )
    with Engine(memory_limit="40MB", threads=1) as engine:
        engine.execute("set max_temp_directory_size = '1MB'")
        with pytest.raises(ConfigError, match=r"Raise \[engine\] memory_limit"):
            engine.execute(large)
